package io.resup;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.function.BooleanSupplier;

/** One run, as the native side sees it: all of it is called on the run's thread, from within the run. */
final class Run {
    private final ResumableUpload upload;
    private final UploadListener listener;
    private final LogListener log;
    private final Source source;
    private final BooleanSupplier wanted;
    private volatile boolean cancelled;

    Run(ResumableUpload upload, UploadListener listener, LogListener log, Source source, BooleanSupplier wanted) {
        this.upload = upload;
        this.listener = listener;
        this.log = log;
        this.source = source;
        this.wanted = wanted;
    }

    /** What reads a source returns early from now on. */
    void cancel() {
        cancelled = true;
    }

    /** Called by the native library. Once it is not wanted, it is cancelled. */
    boolean shouldContinue() {
        if (!cancelled && (Thread.currentThread().isInterrupted() || !wanted.getAsBoolean()))
            upload.cancel();
        return !cancelled;
    }

    /** Called by the native library. */
    void progress() {
        listener.progress(upload, upload.progress());
    }

    /** Called by the native library. */
    void state(int state) {
        listener.state(upload, UploadState.of(state));
    }

    /** Called by the native library. */
    void log(int level, char[] line) {
        log.log(LogLevel.of(level), new String(line));
    }

    /** Called by the native library. */
    long size() throws IOException {
        return interruptible(source::size);
    }

    /** Called by the native library. */
    void seek(long offset) throws IOException {
        interruptible(() -> {
            source.seek(offset, this::shouldContinue);
            return 0;
        });
    }

    /** Called by the native library. */
    int read(byte[] into) throws IOException {
        return (int) interruptible(() -> source.read(into, this::shouldContinue));
    }

    private interface Work {
        long done() throws IOException;
    }

    /** What a source does: an interrupt meanwhile cancels, before the native side has the answer. */
    private long interruptible(Work work) throws IOException {
        try {
            return work.done();
        } catch (InterruptedIOException e) {
            // Some streams clear the thread's status; a time limit is none of its interrupts.
            if (!(e instanceof SocketTimeoutException))
                Thread.currentThread().interrupt();
            throw e;
        } finally {
            shouldContinue();
        }
    }
}
