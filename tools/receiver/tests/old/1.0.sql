CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO "_sqlx_migrations" VALUES(1,'uploads','2026-11-29 09:55:39',1,X'594F3C0234E5BDEA32701C50759B2F8E47A4386AD07044C55F97D44032E003F4EC10FBAAF7C52C6C1F2EA35B74EAE354',3545101);
INSERT INTO "_sqlx_migrations" VALUES(2,'storage','2026-11-29 09:55:39',1,X'B62656713E357DC6F1DCBF1857336873AE880EC64EBA593E84324E2F8B623CBB065AF6FF9FB483E393B3A06BF8BCE1CD',4929559);
INSERT INTO "_sqlx_migrations" VALUES(3,'accounts','2026-11-29 09:55:39',1,X'6CF9045BD9889717BAE46A570AEBEEED378B5F540A9251F27F3701623C43891D9F60372B4B3A5ED8A67F5F54AAFF69E2',3920759);
INSERT INTO "_sqlx_migrations" VALUES(4,'clock','2026-11-29 09:55:39',1,X'6339C255E3609BDD5C447EA77E0B2E3CF1E3716DFC20D3762BA7BA18790FC120A0400FCDF2D30620672BF7C6EAE27336',3935822);
CREATE TABLE clock (
    id   BIGINT NOT NULL PRIMARY KEY,
    seen BIGINT NOT NULL
);
CREATE TABLE nonces (
    nonce   TEXT   NOT NULL PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE TABLE sessions (
    -- SHA-256 of the cookie's value.
    hash    TEXT   NOT NULL PRIMARY KEY,
    owner   TEXT   NOT NULL,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL
);
CREATE TABLE tokens (
    id      TEXT   NOT NULL PRIMARY KEY,
    owner   TEXT   NOT NULL,
    label   TEXT   NOT NULL,
    -- SHA-256 of the token; the token itself is kept nowhere.
    hash    TEXT   NOT NULL UNIQUE,
    created BIGINT NOT NULL
);
CREATE TABLE uploads (
    id             TEXT   NOT NULL PRIMARY KEY,
    owner          TEXT   NOT NULL,
    dir            TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    size           BIGINT NOT NULL,
    mtime          TEXT   NOT NULL,
    md5            TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    -- Bytes that are durable, from the start, without a gap.
    held           BIGINT NOT NULL,
    -- The digests' inner states after those bytes, hexadecimal.
    midstate       TEXT   NOT NULL,
    -- The digests of the finished file.
    content_md5    TEXT   NOT NULL,
    content_sha256 TEXT   NOT NULL,
    -- Milliseconds since 1970.
    created        BIGINT NOT NULL,
    changed        BIGINT NOT NULL, place TEXT NOT NULL DEFAULT '',
    UNIQUE (owner, dir, name, size, md5, mtime)
);
INSERT INTO "uploads" VALUES('52cfb0fefe9a9686b22973d981db267b','','','old.bin',30000,'1700000000000','','partial',12345,'19b6d4d04282158f1245c85d44ff4295c000000000000000394f7de00f6611523eb400ad61356e5cdd2197f7f7e50097cdc01f7da7c2f9bcf3ee60cb2520c69721db7a77eb2061dc188ea56b0a5e7e5c960d000000000000:351c4c17a1bad0bd04972c9909e776475c144f520ac1315cb5abc387b870367dc000000000000000394f7de00f6611523eb400ad61356e5cdd2197f7f7e50097cdc01f7da7c2f9bcf3ee60cb2520c69721db7a77eb2061dc188ea56b0a5e7e5c960d000000000000','','',1795946139496,1795946139509,'52cfb0fefe9a9686b22973d981db267b');
INSERT INTO "uploads" VALUES('536190f28edcec6bc129fb6a92425fdf','','','done.bin',1000,'1700000000000','','complete',1000,'f47b51dab0ad997588d56edaef7e8db40f00000000000000285738ec7e256b3c306310075c33a0496f581573069dcbeec1ef0a31b2518e4c656bf5e1adf61e91da0000000000000000000000000000000000000000000000:4c9ec6a132302821c07af5d21c5eefa79fcde4721cf74b4bdaf2de6b1ba2d4ae0f00000000000000285738ec7e256b3c306310075c33a0496f581573069dcbeec1ef0a31b2518e4c656bf5e1adf61e91da0000000000000000000000000000000000000000000000','d50f92ae089fe3247a1d74a3d188bb2e','543d4360b877834aad6c9e9552392fce8926a0fd1f1c04bb6a3ef8bc8ff6f2dc',1795946139514,1795946139520,'536190f28edcec6bc129fb6a92425fdf');
CREATE TABLE users (
    name     TEXT   NOT NULL PRIMARY KEY,
    -- The name in lower case: two users are never told apart by case alone.
    folded   TEXT   NOT NULL UNIQUE,
    -- Argon2id, as a PHC string.
    password TEXT   NOT NULL,
    created  BIGINT NOT NULL
);
CREATE INDEX uploads_by_content ON uploads (owner, size);
CREATE UNIQUE INDEX uploads_by_place ON uploads (place);
CREATE INDEX uploads_by_change ON uploads (owner, changed);
CREATE INDEX uploads_by_state ON uploads (state, changed);
CREATE INDEX nonces_by_end ON nonces (expires);
