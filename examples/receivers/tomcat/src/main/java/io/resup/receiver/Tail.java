package io.resup.receiver;

/**
 * The digests that the client sends after its bytes; empty where it does not.
 *
 * @param md5 of the whole file
 * @param sha256 of the whole file
 * @param prefixMd5 of everything up to the end of this request
 */
record Tail(String md5, String sha256, String prefixMd5) {
    /** Reads them. */
    static Tail of(Fields fields) throws Refusal {
        return new Tail(fields.digest("md5", 16), fields.digest("sha256", 32), fields.digest("prefix_md5", 16));
    }

    /** Whether what has come is what was sent, as far as that is told. */
    boolean agrees(Identity file, boolean whole, Digests digests) {
        String found = digests.md5();
        if (!isSame(prefixMd5, found)) {
            return false;
        }
        return !whole
                || isSame(md5, found) && isSame(file.md5(), found) && isSame(sha256, digests.sha256Hex());
    }

    private static boolean isSame(String said, String found) {
        return said.isEmpty() || said.equals(found);
    }
}
