-- What people report to the deployer. Ids are ULIDs, so their order is that of time and what is old is a range of keys.
CREATE TABLE reports (
  report_id TEXT PRIMARY KEY,
  reporter_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL, -- of the wish, so that a repeat is told from another one
  reported_id TEXT, -- who is reported; NULL where it is a conversation as such
  conversation_id TEXT,
  reason TEXT NOT NULL,
  note TEXT, -- the reporter's
  state TEXT NOT NULL DEFAULT 'open',
  operator_note TEXT,
  created_at INTEGER NOT NULL -- ms
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reports_by_wish ON reports (reporter_id, idempotency_key);
CREATE INDEX reports_by_reported ON reports (reported_id) WHERE reported_id IS NOT NULL;

-- Copies of events, as the reporter could see them then: what is recalled later is still here.
CREATE TABLE report_evidence (
  report_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  is_reported INTEGER NOT NULL, -- 1: one of those that are reported; 0: what stood before them
  body TEXT NOT NULL,
  PRIMARY KEY (report_id, seq)
) STRICT, WITHOUT ROWID;
