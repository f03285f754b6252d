-- Who is whose contact, or has asked to be: one row a pair. The index lists the other half of a user's pairs; a column that changes is
-- not in it, so that accepting writes one row.
CREATE TABLE contacts (
  low_id TEXT NOT NULL, -- the pair's smaller user id
  high_id TEXT NOT NULL,
  asker_id TEXT, -- who has asked; NULL once both have
  PRIMARY KEY (low_id, high_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_by_high ON contacts (high_id);
