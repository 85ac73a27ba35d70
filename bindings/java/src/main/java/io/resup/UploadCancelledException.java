package io.resup;

/**
 * Thrown when the program cancels an upload: by {@link ResumableUpload#cancel()}, {@link ResumableUpload#close()},
 * cancelling the future, or interrupting the thread, which keeps its interrupted status. The upload may be run again and
 * continues from what the server has; {@link #isRetryable()} is false, since the program wanted the end.
 */
public class UploadCancelledException extends ResupException {
    private static final long serialVersionUID = 1;

    UploadCancelledException(String message, Throwable cause) {
        super(ErrorCode.CANCELLED, message, 0, null, false);
        initCause(cause);
    }
}
