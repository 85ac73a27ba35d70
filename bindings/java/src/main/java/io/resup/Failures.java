package io.resup;

/** Creates the exceptions of native methods. The native library calls these methods by name. */
final class Failures {
    private Failures() {
    }

    static Throwable illegalState(char[] message) {
        return new IllegalStateException(new String(message));
    }

    static Throwable illegalArgument(char[] message) {
        return new IllegalArgumentException(new String(message));
    }

    static Throwable outOfMemory(char[] message) {
        return new OutOfMemoryError(new String(message));
    }

    static Throwable internal(char[] message) {
        return new ResupException(ErrorCode.INTERNAL, new String(message), null);
    }

    static Throwable resup(int code, char[] message, int httpStatus, char[] serverMessage, boolean retryable) {
        ErrorCode known = ErrorCode.of(code);
        if (known == ErrorCode.CANCELLED)
            return new UploadCancelledException(new String(message), null);
        return new ResupException(known, new String(message), httpStatus, Text.of(serverMessage), retryable);
    }
}
