-- Contacts by version, so that clients ask for what changed. Each of a pair has a version of their own, and what has ended stays for a
-- while to be told: see src/storage/contacts.ts. No index: these columns change with every act, and an entry is a row.
ALTER TABLE contacts ADD COLUMN low_version INTEGER NOT NULL DEFAULT 0; -- ms; grows with each change that the one with the smaller id sees
ALTER TABLE contacts ADD COLUMN high_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN ended INTEGER NOT NULL DEFAULT 0; -- 1: there is nothing between them any more

ALTER TABLE users ADD COLUMN conversations TEXT NOT NULL DEFAULT 'everyone'; -- who may begin one with them
ALTER TABLE users ADD COLUMN findable TEXT NOT NULL DEFAULT 'everyone'; -- by whom they are found without their whole handle
ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 0; -- grows with each change of profile or privacy
ALTER TABLE users ADD COLUMN words TEXT; -- JSON: the words by which the name is found; NULL: not made yet
CREATE INDEX users_without_words ON users (user_id) WHERE words IS NULL;

-- Where people's names are looked up: one row a word, of those alone whom everyone may find. A prefix of a word is a range of keys.
CREATE TABLE name_words (
  word TEXT NOT NULL, -- folded
  user_id TEXT NOT NULL,
  PRIMARY KEY (word, user_id)
) STRICT, WITHOUT ROWID;
