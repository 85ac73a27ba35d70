-- What is durable behind `held` of an unfinished upload: its ranges with their digests, in order, as `storage/ranges.rs`
-- writes them.
ALTER TABLE uploads ADD COLUMN ranges TEXT NOT NULL DEFAULT '';
