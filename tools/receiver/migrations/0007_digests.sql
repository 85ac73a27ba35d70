-- The other digests that a client gave of the whole file before it sent it; empty when not given. `md5` is in the key that
-- tells files apart: where the client gave no MD5, it has `blake3:` or `sha256:` and that digest.
ALTER TABLE uploads ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN blake3 TEXT NOT NULL DEFAULT '';

-- As content_md5.
ALTER TABLE uploads ADD COLUMN content_blake3 TEXT NOT NULL DEFAULT '';
