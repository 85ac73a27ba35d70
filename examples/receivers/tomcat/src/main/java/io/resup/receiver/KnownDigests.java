package io.resup.receiver;

/**
 * Digests of the same bytes, in lower-case hexadecimal. Those that are not known are empty.
 *
 * @param md5 their MD5
 * @param sha256 their SHA-256
 */
record KnownDigests(String md5, String sha256) {
    /** No digest. */
    static final KnownDigests NONE = new KnownDigests("", "");

    /** Reads the digests of a form whose names begin with <code>prefix</code>. */
    static KnownDigests read(Fields fields, String prefix) throws Refusal {
        return new KnownDigests(read(fields, prefix, DigestName.MD5), read(fields, prefix, DigestName.SHA256));
    }

    private static String read(Fields fields, String prefix, DigestName name) throws Refusal {
        return fields.digest(prefix + name.word(), name.length());
    }

    /** Returns one of them. */
    String get(DigestName name) {
        return name == DigestName.MD5 ? md5 : sha256;
    }

    /** Tells whether none is known. */
    boolean isEmpty() {
        return equals(NONE);
    }

    /** Tells whether no digest that both know differs. */
    boolean agrees(KnownDigests other) {
        return agree(md5, other.md5) && agree(sha256, other.sha256);
    }

    private static boolean agree(String one, String other) {
        return one.isEmpty() || other.isEmpty() || one.equals(other);
    }

    /** Tells whether both know the same digest. */
    boolean shares(KnownDigests other) {
        return !md5.isEmpty() && md5.equals(other.md5) || !sha256.isEmpty() && sha256.equals(other.sha256);
    }

    /** Returns a copy with the digests of <code>other</code> that are not known here. */
    KnownDigests or(KnownDigests other) {
        return new KnownDigests(md5.isEmpty() ? other.md5 : md5, sha256.isEmpty() ? other.sha256 : sha256);
    }

    /** Returns a copy without SHA-256. */
    KnownDigests onlyMd5() {
        return new KnownDigests(md5, "");
    }
}
