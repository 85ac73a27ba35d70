package io.resup.receiver;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** MD5 and SHA-256 of everything fed so far. What they are now can be told without ending them. */
final class Digests {
    private final MessageDigest md5;
    private final MessageDigest sha256;

    Digests() {
        this(algorithm("MD5"), sha256());
    }

    private Digests(MessageDigest md5, MessageDigest sha256) {
        this.md5 = md5;
        this.sha256 = sha256;
    }

    /** Feeds the next bytes, and leaves the buffer as it is. */
    void update(ByteBuffer bytes) {
        md5.update(bytes.duplicate());
        sha256.update(bytes.duplicate());
    }

    /** Both digests so far. */
    KnownDigests known() {
        return new KnownDigests(hex(clone(md5).digest()), hex(clone(sha256).digest()));
    }

    /** Digests that go on from here on their own. */
    Digests copy() {
        return new Digests(clone(md5), clone(sha256));
    }

    static MessageDigest sha256() {
        return algorithm("SHA-256");
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static MessageDigest algorithm(String name) {
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static MessageDigest clone(MessageDigest digest) {
        try {
            return (MessageDigest) digest.clone();
        } catch (CloneNotSupportedException error) {
            throw new IllegalStateException("the digests of " + digest.getProvider() + " cannot be copied", error);
        }
    }
}
