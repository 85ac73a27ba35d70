-- What an upload is in a concatenation of tus: `partial`, or `final;` and the URLs of the pieces that it was joined from;
-- empty for all others.
ALTER TABLE uploads ADD COLUMN concat TEXT NOT NULL DEFAULT '';

CREATE INDEX uploads_by_concat ON uploads (owner, concat) WHERE concat <> '';
