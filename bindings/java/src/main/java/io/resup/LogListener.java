package io.resup;

/** Receives the log of uploads; see {@link ResumableUploadClient.Builder#log}. */
@FunctionalInterface
public interface LogListener {
    /**
     * Receives a line. An exception from here cancels the upload, as with an {@link UploadListener}.
     *
     * @param level  how important the line is
     * @param line   one line without a line separator; never with secrets or the content of a file
     */
    void log(LogLevel level, String line);
}
