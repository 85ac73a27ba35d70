package io.resup.receiver;

import java.util.Locale;

/** The digests that a client can use here. */
enum DigestName {
    /** The digest of version 1.0 of the protocol. */
    MD5(16),
    SHA256(32);

    /** The number of bytes of such a digest. */
    private final int length;

    DigestName(int length) {
        this.length = length;
    }

    int length() {
        return length;
    }

    /** Returns the digest's name in the protocol. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Finds a digest by its name in the protocol; <code>null</code> when it cannot be used here. */
    static DigestName find(String word) {
        for (DigestName name : values()) {
            if (name.word().equals(word)) {
                return name;
            }
        }
        return null;
    }
}
