package io.resup;

import java.io.IOException;
import java.util.function.BooleanSupplier;

/** One run, as the native side sees it: all of it is called on the run's thread, from within the run. */
final class Run {
    private static final UploadState[] STATES = UploadState.values();
    private static final LogLevel[] LEVELS = LogLevel.values();

    private final ResumableUpload upload;
    private final UploadListener listener;
    private final LogListener log;
    private final Source source;
    private final BooleanSupplier wanted;

    Run(ResumableUpload upload, UploadListener listener, LogListener log, Source source, BooleanSupplier wanted) {
        this.upload = upload;
        this.listener = listener;
        this.log = log;
        this.source = source;
        this.wanted = wanted;
    }

    /** Called by the native library. */
    boolean wanted() {
        return !Thread.currentThread().isInterrupted() && wanted.getAsBoolean();
    }

    /** Called by the native library. */
    void progress() {
        listener.progress(upload, upload.progress());
    }

    /** Called by the native library. */
    void state(int state) {
        listener.state(upload, STATES[state]);
    }

    /** Called by the native library. */
    void log(int level, char[] line) {
        log.log(LEVELS[level], new String(line));
    }

    /** Called by the native library. */
    long size() throws IOException {
        return source.size();
    }

    /** Called by the native library. */
    void seek(long offset) throws IOException {
        source.seek(offset);
    }

    /** Called by the native library. */
    int read(byte[] into) throws IOException {
        // A source that is read all the time may leave no other time to ask.
        if (!wanted())
            upload.cancel();
        return source.read(into);
    }
}
