package io.resup.receiver;

/**
 * The digest that a client and this receiver use for an upload.
 *
 * @param digest the digest
 * @param isNamed whether the client names it, as clients of version 1.1 of the protocol do. Only these get the members
 *     of 1.1
 */
record Agreement(DigestName digest, boolean isNamed) {
    private static final Agreement OLD = new Agreement(DigestName.MD5, false);

    /** Chooses the first of a locate's digests that can be used here. */
    static Agreement choose(Fields fields) {
        for (String word : fields.textOrEmpty("digests").split(",")) {
            DigestName digest = DigestName.find(word);
            if (digest != null) {
                return new Agreement(digest, true);
            }
        }
        return OLD;
    }

    /** Reads the digest that a send or a store names. */
    static Agreement read(Fields fields) throws Refusal {
        String word = fields.textOrEmpty("digest");
        DigestName digest = DigestName.find(word);
        if (digest == null && !word.isEmpty()) {
            throw Refusal.ofField("digest", word);
        }
        return digest == null ? OLD : new Agreement(digest, true);
    }
}
