-- Uploads in parts that are under way: one row an object of the bucket, whichever media mean it. It goes when the object is whole, or with
-- the last of that media.
CREATE TABLE uploads (
  object_key TEXT PRIMARY KEY,
  upload_id TEXT NOT NULL, -- as the store names it
  md5s TEXT NOT NULL, -- JSON: what each part is to be, in order
  etags TEXT NOT NULL -- JSON: by number, what the store answered to the parts that are there
) STRICT, WITHOUT ROWID;
