package io.resup.receiver;

/**
 * The digests that the client sends with the file.
 *
 * @param whole of the whole file
 * @param prefix of everything up to the end of this request
 */
record ExpectedDigests(KnownDigests whole, KnownDigests prefix) {
    /** Reads the digests after the file. */
    static ExpectedDigests of(Fields fields) throws Refusal {
        return new ExpectedDigests(KnownDigests.read(fields, ""), KnownDigests.read(fields, "prefix_"));
    }

    /** Compares the digests of the received bytes with those that the client sent. */
    boolean agree(Identity file, boolean isWhole, Digests digests) {
        KnownDigests actual = digests.known();
        return prefix.agrees(actual) && (!isWhole || whole.agrees(actual) && file.digests().agrees(actual));
    }
}
