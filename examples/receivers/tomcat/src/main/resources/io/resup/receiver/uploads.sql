-- One row for each file that a client has asked about.
-- Empty text stands for "not given", so that the unique key holds in every database.
CREATE TABLE uploads (
    id          VARCHAR(32)   NOT NULL PRIMARY KEY,
    -- SHA-256 of owner, dir, name and size: a short key that every database accepts.
    file_key    VARCHAR(64)   NOT NULL,
    owner       VARCHAR(255)  NOT NULL,
    dir         VARCHAR(1024) NOT NULL,
    name        VARCHAR(255)  NOT NULL,
    size        BIGINT        NOT NULL,
    mtime       VARCHAR(20)   NOT NULL,
    -- The digests of the whole file, as clients gave them.
    md5         VARCHAR(32)   NOT NULL,
    sha256      VARCHAR(64)   NOT NULL,
    state       VARCHAR(8)    NOT NULL,
    -- The number of durable bytes, from the start, without a gap, and their digests.
    held        BIGINT        NOT NULL,
    held_md5    VARCHAR(32)   NOT NULL,
    held_sha256 VARCHAR(64)   NOT NULL,
    -- Milliseconds since 1970.
    changed     BIGINT        NOT NULL,
    UNIQUE (file_key, md5, sha256, mtime)
);
