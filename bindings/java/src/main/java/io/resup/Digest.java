package io.resup;

/** When the digest of the whole file is computed. */
public enum Digest {
    /**
     * Never: then neither what the server has nor the whole file is compared, and a new mode, owner or link of the file
     * during a run is a change of it. Only with {@link DigestAlgorithm#AUTOMATIC}.
     */
    NONE(0),
    /** While the file is sent, in one pass. Byte arrays, channels and streams are always read first. */
    ONE_PASS(1),
    /** Before the first request, so that nothing is sent to a server that has the content already. */
    FIRST(2);

    /** The code in the C API. */
    final int code;

    Digest(int code) {
        this.code = code;
    }
}
