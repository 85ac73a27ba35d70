-- Who may upload. An upload's owner is a user's name; times are milliseconds since 1970.
CREATE TABLE users (
    name     TEXT   NOT NULL PRIMARY KEY,
    -- The name in lower case: two users are never told apart by case alone.
    folded   TEXT   NOT NULL UNIQUE,
    -- Argon2id, as a PHC string.
    password TEXT   NOT NULL,
    created  BIGINT NOT NULL
);

-- Random secrets by which programs log in.
CREATE TABLE tokens (
    id      TEXT   NOT NULL PRIMARY KEY,
    owner   TEXT   NOT NULL,
    label   TEXT   NOT NULL,
    -- SHA-256 of the token; the token itself is kept nowhere.
    hash    TEXT   NOT NULL UNIQUE,
    created BIGINT NOT NULL
);

-- Logins by the form.
CREATE TABLE sessions (
    -- SHA-256 of the cookie's value.
    hash    TEXT   NOT NULL PRIMARY KEY,
    owner   TEXT   NOT NULL,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL
);

-- Numbers of signed forms; each is good once.
CREATE TABLE nonces (
    nonce   TEXT   NOT NULL PRIMARY KEY,
    expires BIGINT NOT NULL
);

CREATE INDEX nonces_by_end ON nonces (expires);
