-- As for SQLite.
ALTER TABLE uploads ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- The lives of receivers with --shared. Times are milliseconds since 1970 by the database's clock.
CREATE TABLE receivers (
    id      TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    -- The receiver says before that time that it lives on. Otherwise others may take its leases.
    expires BIGINT NOT NULL
);

-- The uploads that requests work on, at all receivers with --shared.
CREATE TABLE leases (
    -- The upload. What begins with a colon is no upload, but work that one receiver at a time does.
    id       TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    -- Each time that a receiver gets the lease, it has a new number. Changes of the upload are made under that number only.
    number   BIGINT NOT NULL UNIQUE,
    receiver TEXT   COLLATE "C" NOT NULL,
    -- The receivers that had the lease before and did not give it back, with blanks between them.
    before   TEXT   COLLATE "C" NOT NULL DEFAULT '',
    -- Until when a request at another receiver waits for it.
    wanted   BIGINT NOT NULL DEFAULT 0
);

CREATE SEQUENCE lease_numbers;

CREATE INDEX leases_by_receiver ON leases (receiver);

-- Wrong passwords at all receivers with --shared.
CREATE TABLE failures (
    -- A hash of the user's name, or of the network.
    hash  TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    last  BIGINT NOT NULL
);

CREATE INDEX failures_by_time ON failures (last);
