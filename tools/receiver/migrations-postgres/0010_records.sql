-- The tables as they are for SQLite after the change of the same number, where the columns are explained. A later change has
-- the same number in both directories.
--
-- Texts are compared by their bytes, as SQLite does. What may be long has indexes of the kind `hash`: those of the kind
-- `btree` take 2704 bytes at most. They cannot be unique, but an exclusion constraint on one says the same.
CREATE TABLE uploads (
    id              TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    owner           TEXT   COLLATE "C" NOT NULL,
    dir             TEXT   COLLATE "C" NOT NULL,
    name            TEXT   COLLATE "C" NOT NULL,
    size            BIGINT NOT NULL,
    mtime           TEXT   COLLATE "C" NOT NULL,
    md5             TEXT   COLLATE "C" NOT NULL,
    state           TEXT   COLLATE "C" NOT NULL,
    held            BIGINT NOT NULL,
    midstate        TEXT   COLLATE "C" NOT NULL,
    content_md5     TEXT   COLLATE "C" NOT NULL,
    content_sha256  TEXT   COLLATE "C" NOT NULL,
    created         BIGINT NOT NULL,
    changed         BIGINT NOT NULL,
    place           TEXT   COLLATE "C" NOT NULL DEFAULT '',
    proven          BIGINT NOT NULL DEFAULT 0,
    proven_midstate TEXT   COLLATE "C" NOT NULL DEFAULT '',
    gone            BIGINT NOT NULL DEFAULT 0,
    sha256          TEXT   COLLATE "C" NOT NULL DEFAULT '',
    blake3          TEXT   COLLATE "C" NOT NULL DEFAULT '',
    content_blake3  TEXT   COLLATE "C" NOT NULL DEFAULT '',
    ranges          TEXT   COLLATE "C" NOT NULL DEFAULT '',
    open            BIGINT NOT NULL DEFAULT 0,
    concat          TEXT   COLLATE "C" NOT NULL DEFAULT '',
    CONSTRAINT uploads_by_file
        EXCLUDE USING hash ((ARRAY[owner, dir, name, size::text, md5, mtime]) WITH =),
    CONSTRAINT uploads_by_place EXCLUDE USING hash (place WITH =)
);

CREATE INDEX uploads_by_name ON uploads USING hash (name);
CREATE INDEX uploads_by_content ON uploads (owner, size, gone);
CREATE INDEX uploads_by_change ON uploads (owner, changed) WHERE gone = 0;
CREATE INDEX uploads_by_state ON uploads (state, changed);
CREATE INDEX uploads_that_are_gone ON uploads (id) WHERE gone > 0;
CREATE INDEX uploads_by_concat ON uploads USING hash (concat) WHERE concat <> '';

CREATE TABLE users (
    name     TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    folded   TEXT   COLLATE "C" NOT NULL UNIQUE,
    password TEXT   COLLATE "C" NOT NULL,
    created  BIGINT NOT NULL
);

CREATE TABLE tokens (
    id      TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    owner   TEXT   COLLATE "C" NOT NULL,
    label   TEXT   COLLATE "C" NOT NULL,
    hash    TEXT   COLLATE "C" NOT NULL UNIQUE,
    created BIGINT NOT NULL
);

CREATE TABLE sessions (
    hash    TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    owner   TEXT   COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL
);

CREATE TABLE nonces (
    nonce   TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    expires BIGINT NOT NULL
);

CREATE INDEX nonces_by_end ON nonces (expires);

CREATE TABLE clock (
    id   BIGINT NOT NULL PRIMARY KEY,
    seen BIGINT NOT NULL
);
