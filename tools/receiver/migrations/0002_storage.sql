-- Where the finished file lies below `files`; until then the id, which is nobody else's.
ALTER TABLE uploads ADD COLUMN place TEXT NOT NULL DEFAULT '';

UPDATE uploads SET place = id;

CREATE UNIQUE INDEX uploads_by_place ON uploads (place);

-- For the lists, and for what has not changed for long.
CREATE INDEX uploads_by_change ON uploads (owner, changed);
CREATE INDEX uploads_by_state ON uploads (state, changed);
