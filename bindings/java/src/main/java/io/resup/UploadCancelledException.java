package io.resup;

/**
 * The upload was ended from this side: by {@link ResumableUpload#cancel()}, {@link ResumableUpload#close()}, the future's
 * cancellation, or an interrupt of the thread, whose interrupted status is kept. It may be run again, and goes on where
 * the server is.
 */
public class UploadCancelledException extends ResupException {
    private static final long serialVersionUID = 1;

    UploadCancelledException(String message, Throwable cause) {
        super(ErrorCode.CANCELLED, message, 0, null, true);
        initCause(cause);
    }
}
