package io.resup;

/** What the native library says of itself. */
final class Native {
    /** The version of the native library that these classes go with. */
    static final String VERSION = "0.1.0";

    private Native() {
    }

    /** The loaded library's version. */
    static native char[] version();

    /** How many clients and uploads it holds. */
    static native int count();
}
