package io.resup.receiver;

/**
 * The digests that the client sends after the file. A digest that it does not send is empty.
 *
 * @param md5 of the whole file
 * @param sha256 of the whole file
 * @param prefixMd5 of everything up to the end of this request
 */
record ExpectedDigests(String md5, String sha256, String prefixMd5) {
    /** Reads the digests. */
    static ExpectedDigests of(Fields fields) throws Refusal {
        return new ExpectedDigests(
                fields.digest("md5", 16), fields.digest("sha256", 32), fields.digest("prefix_md5", 16));
    }

    /** Compares the digests of the received bytes with those that the client sent. */
    boolean agree(Identity file, boolean whole, Digests digests) {
        String actual = digests.md5();
        if (!matches(prefixMd5, actual)) {
            return false;
        }
        return !whole
                || matches(md5, actual) && matches(file.md5(), actual) && matches(sha256, digests.sha256Hex());
    }

    private static boolean matches(String expected, String actual) {
        return expected.isEmpty() || expected.equals(actual);
    }
}
