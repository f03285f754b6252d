-- Whose erasure was asked for, and how far it is. A row stays for ever, and holds nothing of the person but the opaque id.
CREATE TABLE erasures (
  user_id TEXT PRIMARY KEY,
  asked_by TEXT NOT NULL, -- 'user' or 'operator'
  begun_at INTEGER NOT NULL, -- ms
  settling INTEGER NOT NULL DEFAULT 0, -- 1 once everything is gone that was found
  rounds INTEGER NOT NULL DEFAULT 0,
  counts TEXT NOT NULL DEFAULT '{}', -- JSON: what was taken away, by store
  rescanned_at INTEGER, -- ms
  remaining TEXT NOT NULL DEFAULT '{}', -- JSON: what the last re-scan found, by store
  done_at INTEGER -- ms
) STRICT, WITHOUT ROWID;
CREATE INDEX erasures_open ON erasures (user_id) WHERE done_at IS NULL;
-- Handles of erased people, hashed and of nobody: a handle that was in use is never anybody else's.
CREATE TABLE spent_handles (handle_hash TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
-- What is one person's, for their export and their erasure: found and not searched for.
CREATE INDEX media_by_user ON media (user_id);
CREATE INDEX blocks_by_blocked ON blocks (blocked_id);
CREATE INDEX identities_by_user ON identities (user_id);
CREATE INDEX devices_revoked ON devices (user_id) WHERE revoked_at IS NOT NULL;
