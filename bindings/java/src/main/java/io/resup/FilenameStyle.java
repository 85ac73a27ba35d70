package io.resup;

/** The encoding of file names in forms. */
public enum FilenameStyle {
    /** UTF-8, as browsers write it. */
    WHATWG(0),
    /** UTF-8, and {@code filename*} (RFC 8187) in addition, for servers that read the former as Latin-1. */
    RFC8187(1);

    /** The code in the C API. */
    final int code;

    FilenameStyle(int code) {
        this.code = code;
    }
}
