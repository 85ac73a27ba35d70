-- One row for each file that a client has asked about.
-- Empty text stands for "not given", so that the unique key holds in every database.
CREATE TABLE uploads (
    id             TEXT   NOT NULL PRIMARY KEY,
    owner          TEXT   NOT NULL,
    dir            TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    size           BIGINT NOT NULL,
    mtime          TEXT   NOT NULL,
    md5            TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    -- Bytes that are durable, from the start, without a gap.
    held           BIGINT NOT NULL,
    -- The digests' inner states after those bytes, hexadecimal.
    midstate       TEXT   NOT NULL,
    -- The digests of the finished file.
    content_md5    TEXT   NOT NULL,
    content_sha256 TEXT   NOT NULL,
    -- Milliseconds since 1970.
    created        BIGINT NOT NULL,
    changed        BIGINT NOT NULL,
    UNIQUE (owner, dir, name, size, md5, mtime)
);

CREATE INDEX uploads_by_content ON uploads (owner, size);
