-- What was uploaded, or is about to be: one row a message's media. Rows that mean the same bytes of the same user share an object of the
-- bucket. Only rows that a message is not yet known to refer to are in the second index, so that the sweep reads no others.
CREATE TABLE media (
  media_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL, -- who uploads
  conversation_id TEXT NOT NULL, -- whose members may see it
  content_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL, -- hexadecimal
  object_key TEXT NOT NULL,
  claim TEXT, -- `deviceId idempotencyKey` of the wish that names it; `swept` while it is being deleted
  touched_at INTEGER NOT NULL, -- ms; made, or last claimed
  kept INTEGER NOT NULL DEFAULT 0 -- 1 once the sweep has found the message in the log
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_object ON media (object_key);
CREATE INDEX media_waiting ON media (media_id) WHERE kept = 0;
