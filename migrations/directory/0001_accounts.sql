-- Accounts and devices. Rows are billed: a TEXT key WITHOUT ROWID is one row, an index entry another.
CREATE TABLE users (
  user_id TEXT PRIMARY KEY,
  handle TEXT NOT NULL, -- in lower case
  display_name TEXT NOT NULL,
  password_hash TEXT, -- PHC string; NULL where the outside issuer vouches for the user
  last_seen TEXT NOT NULL,
  read_receipts TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  signed_in_at INTEGER NOT NULL -- ms; the newest success. Wrong passwords are counted from here on
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_by_handle ON users (handle);

-- Who the outside issuer says somebody is.
CREATE TABLE identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
  device_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  generation INTEGER NOT NULL, -- of the one refresh token that is good
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL, -- ms; the newest sign-in or refresh
  revoked_at INTEGER -- ms; set once, for ever
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_user ON devices (user_id) WHERE revoked_at IS NULL;
