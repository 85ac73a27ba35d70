-- When the receiver last looked for expired uploads, in milliseconds since 1970; one row. A clock that has jumped since
-- then must not delete anything.
CREATE TABLE clock (
    id   BIGINT NOT NULL PRIMARY KEY,
    seen BIGINT NOT NULL
);

INSERT INTO clock (id, seen) SELECT 1, MAX(changed) FROM uploads HAVING COUNT(*) > 0;
