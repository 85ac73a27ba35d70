-- 1 for a user who may see all users and what they upload.
ALTER TABLE users ADD COLUMN admin BIGINT NOT NULL DEFAULT 0;
