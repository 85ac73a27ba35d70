-- The number of the lease under which another receiver's unfinished bytes were copied to a file of their own; 0 if none
-- were. It is in the name of the upload's file in `partial`. Several receivers with one database need PostgreSQL, which has
-- more tables for them.
ALTER TABLE uploads ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
