package io.resup;

/**
 * Receives the events of an upload. Each method does nothing by default.
 *
 * <p>All methods are called on the thread that is inside {@link ResumableUpload#run()}. They may call every method of the
 * upload, but {@code run} only in {@code complete}. An exception from one of them cancels the upload, and {@code run()}
 * throws the same object again. They should return soon: the upload continues meanwhile, but further events wait. To
 * update a window, pass the {@link UploadProgress} to its thread, for example with {@code SwingUtilities.invokeLater}.
 */
public interface UploadListener {
    /**
     * Called about ten times a second while the numbers change, and once more at the end.
     *
     * @param upload  the upload
     * @param now     its numbers
     */
    default void progress(ResumableUpload upload, UploadProgress now) {
    }

    /**
     * Called with each new state.
     *
     * @param upload  the upload
     * @param state   the new state
     */
    default void state(ResumableUpload upload, UploadState state) {
    }

    /**
     * Called once at the end of every run, after all other events; the next run may be made here. {@code run()} throws an
     * exception from this method, too; after a failure it is a
     * {@linkplain Throwable#getSuppressed() suppressed} exception of that failure.
     *
     * @param upload   the upload
     * @param result   the result; null when the upload failed
     * @param failure  what {@code run()} is about to throw: a {@link ResupException}, or an exception of a listener or a
     *                 source; null when the upload is complete
     */
    default void complete(ResumableUpload upload, UploadResult result, Throwable failure) {
    }
}
