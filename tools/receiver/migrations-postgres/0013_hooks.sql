-- The columns are explained in the change of SQLite of the same number.
ALTER TABLE uploads ADD COLUMN as_dir TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN as_name TEXT COLLATE "C" NOT NULL DEFAULT '';

CREATE TABLE events (
    id   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    line TEXT COLLATE "C" NOT NULL
);

CREATE TABLE deliveries (
    event    TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    due      BIGINT NOT NULL,
    attempts BIGINT NOT NULL
);

CREATE INDEX deliveries_by_time ON deliveries (due);
