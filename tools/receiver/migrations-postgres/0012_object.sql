-- As the change of the same number for SQLite, where the column is explained.
ALTER TABLE uploads ADD COLUMN object TEXT COLLATE "C" NOT NULL DEFAULT '';
