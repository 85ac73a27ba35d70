package io.resup;

/**
 * Told what becomes of an upload; each method does nothing by default.
 *
 * <p>All are called on the thread that is inside {@link ResumableUpload#run()}. They may call everything of the upload,
 * cancel, pause, close; but run it again only in {@code complete}. What one of them throws cancels the upload, and
 * {@code run()} throws the same object again. They should return soon; the upload goes on meanwhile, its events wait. For
 * a window's thread hand the {@link UploadProgress} over, with {@code SwingUtilities.invokeLater} or its like.
 */
public interface UploadListener {
    /**
     * About ten times a second while the numbers change, and a last time at the end.
     *
     * @param upload  the upload
     * @param now     its numbers
     */
    default void progress(ResumableUpload upload, UploadProgress now) {
    }

    /**
     * With each new state.
     *
     * @param upload  the upload
     * @param state   the new state
     */
    default void state(ResumableUpload upload, UploadState state) {
    }

    /**
     * Once at the end of every run, last: the next one may be made here. What this throws {@code run()} throws too, but
     * after a failure only as that one's {@linkplain Throwable#getSuppressed() suppressed} exception.
     *
     * @param upload   the upload
     * @param result   what came of it; null when it failed
     * @param failure  what {@code run()} is about to throw: a {@link ResupException}, or what a listener or a source
     *                 threw; null when it is complete
     */
    default void complete(ResumableUpload upload, UploadResult result, Throwable failure) {
    }
}
