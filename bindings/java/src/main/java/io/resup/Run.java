package io.resup;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.function.BooleanSupplier;

/** One run. The native library calls these methods by name, on the thread of the run. */
final class Run {
    private final ResumableUpload upload;
    private final UploadListener listener;
    private final LogListener log;
    private final Source source;
    private final BooleanSupplier condition;
    private volatile boolean cancelled;

    Run(ResumableUpload upload, UploadListener listener, LogListener log, Source source, BooleanSupplier condition) {
        this.upload = upload;
        this.listener = listener;
        this.log = log;
        this.source = source;
        this.condition = condition;
    }

    /** Lets a read of the source under way return early. */
    void cancel() {
        cancelled = true;
    }

    /** Returns whether to continue; cancels the upload after an interrupt, and once the condition is false. */
    boolean shouldContinue() {
        if (!cancelled && (Thread.currentThread().isInterrupted() || !condition.getAsBoolean()))
            upload.cancel();
        return !cancelled;
    }

    void progress() {
        listener.progress(upload, upload.progress());
    }

    void state(int state) {
        listener.state(upload, UploadState.of(state));
    }

    void log(int level, char[] line) {
        log.log(LogLevel.of(level), new String(line));
    }

    long size() throws IOException {
        return interruptible(source::size);
    }

    void seek(long offset) throws IOException {
        interruptible(() -> {
            source.seek(offset, this::shouldContinue);
            return 0;
        });
    }

    int read(byte[] buffer) throws IOException {
        return (int) interruptible(() -> source.read(buffer, this::shouldContinue));
    }

    private interface Operation {
        long run() throws IOException;
    }

    /** Runs an operation of the source; an interrupt meanwhile cancels before the native library has the result. */
    private long interruptible(Operation operation) throws IOException {
        try {
            return operation.run();
        } catch (InterruptedIOException e) {
            // Some streams clear the interrupted status of the thread. A timeout is no interrupt.
            if (!(e instanceof SocketTimeoutException))
                Thread.currentThread().interrupt();
            throw e;
        } finally {
            shouldContinue();
        }
    }
}
