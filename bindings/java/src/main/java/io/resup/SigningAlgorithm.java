package io.resup;

/** The algorithm with which forms are signed. */
public enum SigningAlgorithm {
    /** HMAC-SHA-256. */
    HMAC_SHA256(0),
    /** HMAC-MD5, for old servers that support nothing better. */
    HMAC_MD5(1);

    /** The code in the C API. */
    final int code;

    SigningAlgorithm(int code) {
        this.code = code;
    }
}
