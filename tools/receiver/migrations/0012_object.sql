-- What an object store has of an unfinished upload, as `storage/object.rs` writes it: the multipart upload's id and its parts,
-- and the bytes behind them. Empty where the bytes are in the directory, and for finished uploads.
ALTER TABLE uploads ADD COLUMN object TEXT NOT NULL DEFAULT '';
