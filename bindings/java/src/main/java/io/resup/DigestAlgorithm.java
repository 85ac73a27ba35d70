package io.resup;

/** The algorithm of a file's digest. */
public enum DigestAlgorithm {
    /** The best one that both sides have. */
    AUTOMATIC(0),
    /** BLAKE3 with 256 bits, the fastest. */
    BLAKE3(1),
    /** SHA-256. */
    SHA256(2),
    /** MD5, which every server has. It protects against accidents, not against an attacker. */
    MD5(3);

    /** The code in the C API. */
    final int code;

    DigestAlgorithm(int code) {
        this.code = code;
    }

    static DigestAlgorithm of(int code) {
        return Codes.find("DigestAlgorithm", values(), constant -> constant.code, code);
    }
}
