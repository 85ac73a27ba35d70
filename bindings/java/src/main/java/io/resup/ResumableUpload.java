package io.resup;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;

/**
 * The uploading of one file; made by a {@link ResumableUploadClient}.
 *
 * <p>{@link #run()} blocks until the end, {@link #runAsync} runs it elsewhere. After a run has ended, another one may be
 * made: it goes on where the server is. Only one runs at a time. All other methods may be called on any thread at any
 * time, those of a listener included.
 *
 * <p>One that is not closed is let go of some time after the garbage collector has found it.
 */
public final class ResumableUpload implements AutoCloseable {
    private final NativeUpload handle;
    private final LogListener log;
    private final Source source;
    private final UploadListener listener;

    /** Guards what follows, never held during a run. */
    private final Object lock = new Object();
    /** The run under way, or null. */
    private Run run;
    private boolean closed;
    /** What was known when the handle was let go of. */
    private UploadProgress last;

    private ResumableUpload(Builder builder) {
        handle = builder.handle;
        log = builder.log;
        source = builder.source;
        listener = builder.listener;
    }

    /**
     * Uploads on this thread, and returns when the server has confirmed the whole file. Breaks are waited out within
     * the client's limits, and gone on from.
     *
     * @return what came of it
     * @throws UploadCancelledException  after {@link #cancel()} or {@link #close()}, or when this thread is interrupted,
     *                                   within about 100 ms, but not before a source's read under way has returned; the
     *                                   thread's interrupted status is kept
     * @throws ResupException            any other failure
     * @throws IOException               what the source threw: a channel or a stream
     * @throws RuntimeException          what a listener threw, the same object; also errors
     * @throws IllegalStateException     it runs already, or is closed
     */
    public UploadResult run() throws IOException {
        return run(() -> true);
    }

    /**
     * Uploads on a thread of the executor's, which is blocked meanwhile: let it be one that has threads for that, and
     * not the common pool of fork and join.
     *
     * @param executor  what runs it, and calls the listener
     * @return a future of what {@link #run()} returns or throws. Its cancellation cancels the upload, also when that has
     *         not begun yet; then there is no run, and the listener's {@code complete} is not called.
     * @throws java.util.concurrent.RejectedExecutionException  the executor takes no more
     */
    public CompletableFuture<UploadResult> runAsync(Executor executor) {
        CompletableFuture<UploadResult> future = new CompletableFuture<>();
        executor.execute(() -> {
            if (future.isDone())
                return;
            try {
                future.complete(run(() -> !future.isDone()));
            } catch (Throwable failure) {
                future.completeExceptionally(failure);
            }
        });
        return future;
    }

    private UploadResult run(BooleanSupplier wanted) throws IOException {
        Run begun = new Run(this, listener, log, source, wanted);
        begin(begun);
        UploadResult result = null;
        Throwable failure = null;
        try {
            try {
                handle.run(begun);
                result = new UploadResult(handle);
            } catch (Throwable thrown) {
                failure = meant(thrown);
            }
            failure = closing(source, failure);
        } finally {
            end();
        }
        try {
            listener.complete(this, result, failure);
        } catch (Throwable thrown) {
            failure = first(failure, thrown);
        }
        if (failure != null)
            throw ResumableUpload.<IOException>unchecked(failure);
        return result;
    }

    /** From here on a wish is for this run. */
    private void begin(Run begun) {
        synchronized (lock) {
            if (closed)
                throw new IllegalStateException("the upload has been closed");
            if (run != null)
                throw new IllegalStateException(
                    "the upload is under way already, on another thread or in the run whose listener this is");
            handle.start();
            run = begun;
        }
    }

    private void end() {
        synchronized (lock) {
            run = null;
            if (closed)
                release();
        }
    }

    private void release() {
        last = handle.progress();
        handle.free();
    }

    /** An interrupt closes channels under way: that is a cancel, too. */
    private static Throwable meant(Throwable thrown) {
        boolean byInterrupt = thrown instanceof ClosedByInterruptException || thrown instanceof InterruptedIOException;
        if (byInterrupt && Thread.currentThread().isInterrupted())
            return new UploadCancelledException("the upload was cancelled by an interrupt of its thread", thrown);
        return thrown;
    }

    /** Closes the source; that this failed is told only along with another failure. */
    private static Throwable closing(Source source, Throwable failure) {
        try {
            source.close();
        } catch (IOException | RuntimeException thrown) {
            return failure == null ? null : first(failure, thrown);
        }
        return failure;
    }

    private static Throwable first(Throwable failure, Throwable thrown) {
        if (failure == null)
            return thrown;
        if (failure != thrown)
            failure.addSuppressed(thrown);
        return failure;
    }

    /** What a listener throws is thrown as it is, also where it got round the compiler. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> T unchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    /**
     * Ends the run, which then throws an {@link UploadCancelledException}. Before the first run it ends that one;
     * between two runs it does nothing. What the server has is kept there.
     */
    public void cancel() {
        synchronized (lock) {
            if (run != null)
                run.cancel();
            live(NativeUpload::cancel);
        }
    }

    /** Pauses: closes the connection and waits for {@link #resume()}. What the server has is kept. */
    public void pause() {
        live(NativeUpload::pause);
    }

    /** Goes on after {@link #pause()}, from where the server is then. */
    public void resume() {
        live(NativeUpload::resume);
    }

    /**
     * Limits how much this upload sends; counts at once.
     *
     * @param bytesPerSecond  file bytes per second; 0, the default, for no limit
     */
    public void setRateLimit(long bytesPerSecond) {
        long limit = ResumableUploadClient.notNegative("rate limit", bytesPerSecond);
        live(upload -> upload.setRateLimit(limit));
    }

    private void live(java.util.function.Consumer<NativeUpload> order) {
        synchronized (lock) {
            if (last == null)
                order.accept(handle);
        }
    }

    /**
     * The numbers at this moment.
     *
     * @return those of the run under way or of the last one; after {@link #close()} those at the end
     */
    public UploadProgress progress() {
        synchronized (lock) {
            return last == null ? handle.progress() : last;
        }
    }

    /**
     * Where the upload is at this moment.
     *
     * @return the state; also after {@link #close()}
     */
    public UploadState state() {
        return progress().state();
    }

    /**
     * Cancels a run that is under way, and lets go of everything. It does not wait for the run, which ends on its own
     * thread soon; later calls do nothing.
     */
    @Override
    public void close() {
        synchronized (lock) {
            if (closed)
                return;
            cancel();
            closed = true;
            if (run == null)
                release();
        }
    }

    /** The settings of an upload that is to be made. Each of them returns this builder. */
    public static final class Builder {
        private static final UploadListener NONE = new UploadListener() {
        };

        private NativeUpload handle;
        private final LogListener log;
        private final Source source;
        private UploadListener listener = NONE;

        Builder(NativeUpload handle, LogListener log, Source source) {
            this.handle = handle;
            this.log = log;
            this.source = source;
        }

        /**
         * The file name that the server is told.
         *
         * @param name  1 to 1024 bytes of UTF-8, without {@code /}; default: the file's own
         * @return this
         * @throws IllegalArgumentException  for another one, and for half a surrogate pair
         */
        public Builder name(String name) {
            handle().setName(name);
            return this;
        }

        /**
         * The directory on the server.
         *
         * @param directory  names separated by {@code /}; default: the server's own choice
         * @return this
         * @throws IllegalArgumentException  for control characters
         */
        public Builder directory(String directory) {
            handle().setDirectory(directory);
            return this;
        }

        /**
         * The MIME type.
         *
         * @param type  {@code type/subtype}, and perhaps parameters; default: by the name's extension
         * @return this
         * @throws IllegalArgumentException  for what is none
         */
        public Builder contentType(String type) {
            handle().setContentType(type);
            return this;
        }

        /**
         * A form field of the program's own, sent with every request.
         *
         * @param name   not empty, and none of the protocol's own; set again, it replaces the value
         * @param value  any text
         * @return this
         * @throws IllegalArgumentException  for another name
         */
        public Builder field(String name, String value) {
            handle().setField(name, value);
            return this;
        }

        /**
         * The most that one request carries, for servers and proxies that see a request only when it is whole.
         *
         * @param bytes  file bytes, 1 or more; default: everything in one request, as far as the server takes that
         * @return this
         * @throws IllegalArgumentException  for 0 and less
         */
        public Builder segmentSize(long bytes) {
            if (bytes <= 0)
                throw new IllegalArgumentException("segment size must be more than 0 bytes, not " + bytes);
            handle().setSegmentSize(bytes);
            return this;
        }

        /**
         * Several requests, which grow while the network is good and shrink after breaks.
         *
         * @return this
         */
        public Builder automaticSegments() {
            handle().setAutomaticSegments();
            return this;
        }

        /**
         * Whether and when the MD5 is computed.
         *
         * @param digest  default: {@link Digest#ONE_PASS}
         * @return this
         */
        public Builder digest(Digest digest) {
            handle().setDigest(digest);
            return this;
        }

        /**
         * A file with which a later run need not read again what the server has. It is never needed, holds no secret,
         * and is removed when the upload is complete. Of no use for bytes, channels and streams.
         *
         * @param path  where it is to be; default: none
         * @return this
         */
        public Builder stateFile(Path path) {
            handle().setStateFile(path);
            return this;
        }

        /**
         * As {@link ResumableUpload#setRateLimit}.
         *
         * @param bytesPerSecond  file bytes per second; 0, the default, for no limit
         * @return this
         */
        public Builder rateLimit(long bytesPerSecond) {
            handle().setRateLimit(ResumableUploadClient.notNegative("rate limit", bytesPerSecond));
            return this;
        }

        /**
         * Who is told what becomes of it.
         *
         * @param listener  called on the thread of the run
         * @return this
         */
        public Builder listener(UploadListener listener) {
            this.listener = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /**
         * Makes the upload. Nothing is sent yet.
         *
         * @return the upload, to be closed
         * @throws IllegalStateException  when it was made before
         */
        public ResumableUpload build() {
            handle();
            ResumableUpload upload = new ResumableUpload(this);
            handle = null;
            return upload;
        }

        private NativeUpload handle() {
            if (handle == null)
                throw new IllegalStateException("the upload has been built; each has a builder of its own");
            return handle;
        }
    }
}
