-- As for SQLite, where it is explained.
ALTER TABLE uploads ADD COLUMN folded TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The receiver writes those of older uploads at its start, and finds by this which are left.
CREATE INDEX uploads_unfolded ON uploads (id) WHERE folded = '';
-- By the directories in which uploads are stored.
CREATE INDEX uploads_by_dir ON uploads (owner, (CASE WHEN as_name = '' THEN dir ELSE as_dir END));

DROP INDEX uploads_by_change;
CREATE INDEX uploads_by_change ON uploads (owner, changed, id, folded) WHERE gone = 0;
-- In place of the index by hash: a folded name takes 1530 bytes at most.
CREATE INDEX uploads_by_folded_name ON uploads (owner, folded, id);
DROP INDEX uploads_by_content;
CREATE INDEX uploads_by_size ON uploads (owner, size, id, folded);

DROP INDEX uploads_by_state;
CREATE INDEX uploads_unfinished ON uploads (owner, changed, id) WHERE state <> 'complete';
CREATE INDEX uploads_unfinished_by_change ON uploads (changed, id) WHERE state <> 'complete';

CREATE TABLE totals (
    owner   TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    records BIGINT NOT NULL,
    high    BIGINT NOT NULL,
    low     BIGINT NOT NULL
);

INSERT INTO totals (owner, records, high, low)
SELECT owner, COUNT(*), SUM(size >> 32), SUM(size & 4294967295) FROM uploads WHERE gone = 0 GROUP BY owner;

CREATE FUNCTION change_totals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.gone = 0 THEN
        UPDATE totals
        SET records = records - 1, high = high - (OLD.size >> 32), low = low - (OLD.size & 4294967295)
        WHERE owner = OLD.owner;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.gone = 0 THEN
        INSERT INTO totals AS t (owner, records, high, low)
        VALUES (NEW.owner, 1, NEW.size >> 32, NEW.size & 4294967295)
        ON CONFLICT (owner) DO UPDATE
        SET records = t.records + 1, high = t.high + excluded.high, low = t.low + excluded.low;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER uploads_counted AFTER INSERT OR DELETE ON uploads
    FOR EACH ROW EXECUTE FUNCTION change_totals();
CREATE TRIGGER uploads_resized AFTER UPDATE OF size, gone ON uploads
    FOR EACH ROW WHEN (OLD.size <> NEW.size OR OLD.gone <> NEW.gone) EXECUTE FUNCTION change_totals();
