-- When it was noticed that the file of a finished upload is gone, in milliseconds since 1970; 0 while it is there. Such
-- an upload is in no list and counts for no limit, so the indexes for these are made anew.
ALTER TABLE uploads ADD COLUMN gone BIGINT NOT NULL DEFAULT 0;

DROP INDEX uploads_by_content;
CREATE INDEX uploads_by_content ON uploads (owner, size, gone);

DROP INDEX uploads_by_change;
CREATE INDEX uploads_by_change ON uploads (owner, changed) WHERE gone = 0;

CREATE INDEX uploads_that_are_gone ON uploads (id) WHERE gone > 0;
