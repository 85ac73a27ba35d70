-- 1 while the client has not said how many bytes the file has. `size` is then the room that is taken for it so far.
-- Some protocols make an upload anew each time, and never find one by its file: `md5` of these ends with @ and the id.
ALTER TABLE uploads ADD COLUMN open BIGINT NOT NULL DEFAULT 0;
