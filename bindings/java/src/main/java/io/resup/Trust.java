package io.resup;

/** Whose root certificates are trusted. */
public enum Trust {
    /** The operating system's (not those of the JVM's {@code cacerts}). */
    SYSTEM(0),
    /** Mozilla's, as they were when the library was built. */
    BUNDLED(1);

    /** The code in the C API. */
    final int code;

    Trust(int code) {
        this.code = code;
    }
}
