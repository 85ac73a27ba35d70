-- Bytes from the start that the client has proven by a digest, and the digests' inner states after them; empty where
-- there are none. What comes after them may be wrong.
ALTER TABLE uploads ADD COLUMN proven BIGINT NOT NULL DEFAULT 0;
ALTER TABLE uploads ADD COLUMN proven_midstate TEXT NOT NULL DEFAULT '';
