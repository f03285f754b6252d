-- The key under which the device's refresh token was traded last, so that the same trade, asked for again, has the same answer (AC-33).
ALTER TABLE devices ADD COLUMN renewed_by TEXT;
