-- The nonces of signed forms. Each is valid once.
CREATE TABLE nonces (
    nonce   VARCHAR(32) NOT NULL PRIMARY KEY,
    expires BIGINT      NOT NULL
);

CREATE INDEX nonces_by_end ON nonces (expires);
