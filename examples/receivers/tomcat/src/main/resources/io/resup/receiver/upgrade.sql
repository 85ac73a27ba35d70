-- Fills the new table from that of an older version of this receiver, in which clients gave no SHA-256.
INSERT INTO uploads (id, file_key, owner, dir, name, size, mtime, md5, sha256, state, held, held_md5, held_sha256, changed)
    SELECT id, file_key, owner, dir, name, size, mtime, md5, '', state, held, held_md5, held_sha256, changed
    FROM old_uploads;

DROP TABLE old_uploads;
