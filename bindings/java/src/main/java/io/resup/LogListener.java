package io.resup;

/** Told what uploads have to tell; see {@link ResumableUploadClient.Builder#log}. */
@FunctionalInterface
public interface LogListener {
    /**
     * Takes a line. What it throws cancels the upload, as with an {@link UploadListener}.
     *
     * @param level  how important it is
     * @param line   one line without its end; never with secrets or a file's content
     */
    void log(LogLevel level, String line);
}
