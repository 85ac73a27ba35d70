package io.resup;

/** Makes the native side's exceptions. */
final class Failures {
    private Failures() {
    }

    /** Called by the native library: the exception of this kind. */
    static Throwable of(int kind, int code, char[] message, int httpStatus, char[] serverMessage, boolean retryable) {
        String text = new String(message);
        switch (kind) {
        case 0:
            return new IllegalStateException(text);
        case 1:
            return new IllegalArgumentException(text);
        case 3:
            return new OutOfMemoryError(text);
        default:
            ErrorCode known = ErrorCode.of(code);
            if (known == ErrorCode.CANCELLED)
                return new UploadCancelledException(text, null);
            return new ResupException(known, text, httpStatus, Text.of(serverMessage), retryable);
        }
    }
}
