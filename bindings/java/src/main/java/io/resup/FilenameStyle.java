package io.resup;

/** How a file's name is written into forms. */
public enum FilenameStyle {
    /** As browsers do: UTF-8. */
    WHATWG(0),
    /** A second time as {@code filename*} (RFC 8187), for servers that take the first for Latin-1. */
    RFC8187(1);

    /** The code in the C API. */
    final int code;

    FilenameStyle(int code) {
        this.code = code;
    }
}
