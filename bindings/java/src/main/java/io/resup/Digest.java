package io.resup;

/** Whether and when the MD5 of the whole file is computed. */
public enum Digest {
    /** Not at all: neither what the server has nor the whole file is compared then. */
    NONE(0),
    /** While the file is sent, in one pass. Bytes, channels and streams are read first in any case. */
    ONE_PASS(1),
    /** Before the first request, so that a server which has the content already needs no byte of it. */
    FIRST(2);

    /** The code in the C API. */
    final int code;

    Digest(int code) {
        this.code = code;
    }
}
