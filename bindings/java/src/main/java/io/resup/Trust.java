package io.resup;

/** Whose root certificates are trusted. */
public enum Trust {
    /** The operating system's (not those of the JVM's {@code cacerts}). */
    SYSTEM,
    /** Mozilla's, as they were when the library was built. */
    BUNDLED
}
