CREATE INDEX uploads_by_md5 ON uploads (held_md5, size);

CREATE INDEX uploads_by_sha256 ON uploads (held_sha256, size);
