-- A message's words as search folds them, NULL where there are none; another column of a row that is written anyway.
ALTER TABLE events ADD COLUMN folded TEXT;
-- Which trigrams occur in which 32 seqs of which conversation: one entry a chunk, not one a message. The rowid is the place of the
-- conversation (43 bits of its id) and the number of the chunk (20 bits), so that a conversation's chunks are a range. No text is kept
-- here, nor where in it a trigram stands: the entry says only where to look in `events`.
CREATE VIRTUAL TABLE texts USING fts5 (
  folded, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
