-- Pictures of people. What is uploaded to be one has no conversation: its `conversation_id` in `media` is empty, and it has the claim
-- `avatar` exactly while its maker's row names it here (one transaction changes both: see src/storage/pictures.ts).
ALTER TABLE users ADD COLUMN avatar_media_id TEXT; -- NULL: they have no picture
ALTER TABLE users ADD COLUMN picture TEXT NOT NULL DEFAULT 'everyone'; -- who sees it
