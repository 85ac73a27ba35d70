package io.resup;

/** The native library itself. */
final class Native {
    /** The version of the native library that these classes need. */
    static final String VERSION = "0.1.0";

    private Native() {
    }

    /** Returns the version of the loaded library. */
    static native char[] version();

    /** Counts the clients and uploads that exist there. */
    static native int count();

    /** Returns the names of {@link UploadProgress.Field} in the native library's order, separated by spaces. */
    static native char[] numbers();
}
