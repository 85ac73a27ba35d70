-- The name in lower case, by which lists are searched and ordered.
ALTER TABLE uploads ADD COLUMN folded TEXT NOT NULL DEFAULT '';

-- The receiver writes those of older uploads at its start, and finds by this which are left.
CREATE INDEX uploads_unfolded ON uploads (id) WHERE folded = '';
-- By the directories in which uploads are stored.
CREATE INDEX uploads_by_dir ON uploads (owner, (CASE WHEN as_name = '' THEN dir ELSE as_dir END));

-- For lists in each order. They have what a search compares, so that it reads no rows but those that it finds.
DROP INDEX uploads_by_change;
CREATE INDEX uploads_by_change ON uploads (owner, changed, id, folded) WHERE gone = 0;
CREATE INDEX uploads_by_name ON uploads (owner, folded, id);
DROP INDEX uploads_by_content;
CREATE INDEX uploads_by_size ON uploads (owner, size, id, folded);

-- Few are unfinished: for the list of these, and for what has not changed for long.
DROP INDEX uploads_by_state;
CREATE INDEX uploads_unfinished ON uploads (owner, changed, id) WHERE state <> 'complete';
CREATE INDEX uploads_unfinished_by_change ON uploads (changed, id) WHERE state <> 'complete';

-- How many uploads each owner has that are not gone, and the sum of their sizes, which may be larger than a number can be:
-- that is high * 2^32 + low.
CREATE TABLE totals (
    owner   TEXT   NOT NULL PRIMARY KEY,
    records BIGINT NOT NULL,
    high    BIGINT NOT NULL,
    low     BIGINT NOT NULL
);

INSERT INTO totals (owner, records, high, low)
SELECT owner, COUNT(*), SUM(size >> 32), SUM(size & 4294967295) FROM uploads WHERE gone = 0 GROUP BY owner;

CREATE TRIGGER uploads_added AFTER INSERT ON uploads WHEN new.gone = 0
BEGIN
    INSERT INTO totals (owner, records, high, low)
    VALUES (new.owner, 1, new.size >> 32, new.size & 4294967295)
    ON CONFLICT (owner) DO UPDATE
    SET records = records + 1, high = high + excluded.high, low = low + excluded.low;
END;

CREATE TRIGGER uploads_removed AFTER DELETE ON uploads WHEN old.gone = 0
BEGIN
    UPDATE totals
    SET records = records - 1, high = high - (old.size >> 32), low = low - (old.size & 4294967295)
    WHERE owner = old.owner;
END;

CREATE TRIGGER uploads_resized AFTER UPDATE OF size, gone ON uploads
WHEN old.size <> new.size OR (old.gone = 0) <> (new.gone = 0)
BEGIN
    INSERT INTO totals (owner, records, high, low)
    VALUES (new.owner,
            (new.gone = 0) - (old.gone = 0),
            (new.gone = 0) * (new.size >> 32) - (old.gone = 0) * (old.size >> 32),
            (new.gone = 0) * (new.size & 4294967295) - (old.gone = 0) * (old.size & 4294967295))
    ON CONFLICT (owner) DO UPDATE
    SET records = records + excluded.records, high = high + excluded.high, low = low + excluded.low;
END;
