-- Directory and name that a hook has given a file in place of the client's; an empty name where it has not. The client's own
-- stay in `dir` and `name`, since they tell files apart.
ALTER TABLE uploads ADD COLUMN as_dir TEXT NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN as_name TEXT NOT NULL DEFAULT '';

-- The audit trail: what happened to uploads. An id begins with the time, so that ids are in the order of the events.
CREATE TABLE events (
    id   TEXT NOT NULL PRIMARY KEY,
    -- The event as the export has it, in JSON.
    line TEXT NOT NULL
);

-- Events of which the hook is still to be told.
CREATE TABLE deliveries (
    event    TEXT   NOT NULL PRIMARY KEY,
    -- When it is time for the next attempt, in milliseconds since 1970.
    due      BIGINT NOT NULL,
    -- How many attempts were begun.
    attempts BIGINT NOT NULL
);

CREATE INDEX deliveries_by_time ON deliveries (due);
