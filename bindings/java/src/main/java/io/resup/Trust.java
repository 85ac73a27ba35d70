package io.resup;

/** The root certificates that are trusted. */
public enum Trust {
    /** Those of the operating system (not the {@code cacerts} of the JVM). */
    SYSTEM(0),
    /** Those of Mozilla at the time when the library was built. */
    BUNDLED(1);

    /** The code in the C API. */
    final int code;

    Trust(int code) {
        this.code = code;
    }
}
