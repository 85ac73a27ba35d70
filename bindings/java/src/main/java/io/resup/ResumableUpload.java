package io.resup;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The upload of one file, created by a {@link ResumableUploadClient}.
 *
 * <p>{@link #run()} blocks until the end, {@link #runAsync} runs the upload on another thread. After a run has ended,
 * another one may follow: it continues from what the server has. Only one run is allowed at a time. All other methods may
 * be called on every thread at any time, also in a listener.
 *
 * <p>An upload that is not closed is freed some time after the garbage collector has found it unreachable.
 */
public final class ResumableUpload implements AutoCloseable {
    private final NativeUpload handle;
    private final LogListener log;
    private final Source source;
    private final UploadListener listener;

    /** Guards the fields below; never held during a run. */
    private final Object lock = new Object();
    /** The run in progress, or null. */
    private Run run;
    private boolean closed;
    /** The numbers when the handle was freed; null before. */
    private UploadProgress finalProgress;

    private ResumableUpload(Builder builder) {
        handle = builder.handle;
        log = builder.log;
        source = builder.source;
        listener = builder.listener;
    }

    /**
     * Uploads on this thread, and returns when the server has confirmed the whole file. After a lost connection it tries
     * again within the limits of the client, and continues from what the server has.
     *
     * @return the result
     * @throws UploadCancelledException  after {@link #cancel()} or {@link #close()}, or when this thread is interrupted,
     *                                   within about 100 ms, but not before a read of the source has returned; the thread
     *                                   keeps its interrupted status
     * @throws ResupException            any other failure
     * @throws IOException               an exception of the source: of a channel or a stream
     * @throws RuntimeException          an exception of a listener, the same object; errors, too
     * @throws IllegalStateException     a run is in progress, or the upload is closed
     */
    public UploadResult run() throws IOException {
        return run(() -> true);
    }

    /**
     * Uploads on a thread of the executor and blocks that thread. Use an executor whose threads may block, so not the
     * common fork-join pool.
     *
     * @param executor  runs the upload and calls the listener
     * @return a future of what {@link #run()} returns or throws. Cancelling it cancels the upload, also before the run
     *         has begun; then there is no run, and {@code complete} of the listener is not called.
     * @throws java.util.concurrent.RejectedExecutionException  the executor accepts no more tasks
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

    /**
     * Takes the upload back, and returns at the end: the server drops what it has of an unfinished file, and a later run
     * begins anew. What the server does not have is a success, too. The listener hears of states, not of progress or
     * completion. After a lost connection it tries again within the limits of the client.
     *
     * @throws UploadCancelledException  as for {@link #run()}
     * @throws ResupException            any other failure: {@link ErrorCode#REFUSED} when the file is complete or the
     *                                   server takes none back, {@link ErrorCode#STATE} when nothing tells the upload's
     *                                   URL, which in tus is needed
     * @throws IOException               as for {@link #run()}
     * @throws RuntimeException          as for {@link #run()}
     * @throws IllegalStateException     a run is in progress, or the upload is closed
     */
    public void discard() throws IOException {
        Run next = new Run(this, listener, log, source, () -> true);
        Throwable failure = work(next, NativeUpload::startDiscard, upload -> { });
        if (failure != null)
            throw ResumableUpload.<IOException>unchecked(failure);
    }

    private UploadResult run(BooleanSupplier condition) throws IOException {
        Run next = new Run(this, listener, log, source, condition);
        AtomicReference<UploadResult> result = new AtomicReference<>();
        Throwable failure = work(next, NativeUpload::start, upload -> result.set(new UploadResult(upload)));
        try {
            listener.complete(this, result.get(), failure);
        } catch (Throwable thrown) {
            failure = combine(failure, thrown);
        }
        if (failure != null)
            throw ResumableUpload.<IOException>unchecked(failure);
        return result.get();
    }

    /** Does what {@code start} begins, to its end, and then {@code finish}. Returns the failure, or null. */
    private Throwable work(Run next, Consumer<NativeUpload> start, Consumer<NativeUpload> finish) {
        begin(next, start);
        Throwable failure = null;
        try {
            try {
                handle.run(next);
                finish.accept(handle);
            } catch (Throwable thrown) {
                failure = translateInterrupt(thrown);
            }
            return closeSource(failure);
        } finally {
            end();
        }
    }

    /** Begins the run: from now on a cancel, a pause and a resume are for it. */
    private void begin(Run next, Consumer<NativeUpload> start) {
        synchronized (lock) {
            if (closed)
                throw new IllegalStateException("the upload has been closed");
            if (run != null)
                throw new IllegalStateException(
                    "the upload is running already, on another thread or in the run whose listener this is");
            start.accept(handle);
            run = next;
        }
    }

    private void end() {
        synchronized (lock) {
            run = null;
            if (closed)
                free();
        }
    }

    private void free() {
        finalProgress = handle.progress();
        handle.free();
    }

    /** Returns a cancellation for an exception of a source that an interrupt of this thread caused. */
    private static Throwable translateInterrupt(Throwable thrown) {
        boolean byInterrupt = thrown instanceof ClosedByInterruptException || thrown instanceof InterruptedIOException;
        if (byInterrupt && Thread.currentThread().isInterrupted())
            return new UploadCancelledException("the upload was cancelled by an interrupt of its thread", thrown);
        return thrown;
    }

    /** Closes the source. An exception of that is only added to another failure. */
    private Throwable closeSource(Throwable failure) {
        try {
            source.close();
        } catch (IOException | RuntimeException thrown) {
            return failure == null ? null : combine(failure, thrown);
        }
        return failure;
    }

    /** Adds a later exception to an earlier one, if there is one. */
    private static Throwable combine(Throwable failure, Throwable thrown) {
        if (failure == null)
            return thrown;
        if (failure != thrown)
            failure.addSuppressed(thrown);
        return failure;
    }

    /** Throws every exception of a listener unchanged, also a checked one that the compiler did not see. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> T unchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    /**
     * Cancels the run, which then throws an {@link UploadCancelledException}. Before the first run it cancels that one;
     * between two runs it does nothing. The server keeps what it has.
     */
    public void cancel() {
        synchronized (lock) {
            if (run != null)
                run.cancel();
            ifOpen(NativeUpload::cancel);
        }
    }

    /** Pauses the run: closes the connection until {@link #resume()}. The server keeps what it has. */
    public void pause() {
        ifOpen(NativeUpload::pause);
    }

    /** Continues after {@link #pause()} from what the server has. */
    public void resume() {
        ifOpen(NativeUpload::resume);
    }

    /**
     * Limits the rate of this upload, from now on.
     *
     * @param bytesPerSecond  file bytes per second; 0, the default, for no limit
     * @throws IllegalArgumentException  the limit is less than 0
     */
    public void setRateLimit(long bytesPerSecond) {
        long limit = ResumableUploadClient.notNegative("rate limit", bytesPerSecond);
        ifOpen(upload -> upload.setRateLimit(limit));
    }

    /** Runs a command, unless the handle has been freed. */
    private void ifOpen(Consumer<NativeUpload> command) {
        synchronized (lock) {
            if (finalProgress == null)
                command.accept(handle);
        }
    }

    /**
     * Returns the numbers at this moment.
     *
     * @return those of the run in progress or of the last run; after {@link #close()} the final ones
     */
    public UploadProgress progress() {
        synchronized (lock) {
            return finalProgress == null ? handle.progress() : finalProgress;
        }
    }

    /**
     * Returns the state at this moment.
     *
     * @return the state; also after {@link #close()}
     */
    public UploadState state() {
        return progress().state();
    }

    /**
     * Returns why the last attempt failed: why the upload is {@link UploadState#WAITING}.
     *
     * @return empty when the server has answered since, and when no run is in progress
     */
    public Optional<String> failure() {
        synchronized (lock) {
            return finalProgress == null ? Optional.ofNullable(handle.failure()) : Optional.empty();
        }
    }

    /**
     * Cancels a run in progress and frees the upload. Does not wait for the run, which ends soon on its own thread. Later
     * calls do nothing.
     */
    @Override
    public void close() {
        synchronized (lock) {
            if (closed)
                return;
            cancel();
            closed = true;
            if (run == null)
                free();
        }
    }

    /**
     * The settings of a new upload. Each method returns this builder, and throws an {@link IllegalArgumentException} for
     * a value that is not valid, with a message that says why.
     */
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
         * Sets the file name that is sent to the server.
         *
         * @param name  1 to 1024 bytes of UTF-8, without {@code /}; default: the name of the file
         * @return this
         */
        public Builder name(String name) {
            handle().setName(name);
            return this;
        }

        /**
         * Sets the directory on the server.
         *
         * @param directory  names separated by {@code /}, without control characters; default: the server chooses
         * @return this
         */
        public Builder directory(String directory) {
            handle().setDirectory(directory);
            return this;
        }

        /**
         * Sets the MIME type.
         *
         * @param type  {@code type/subtype}, with optional parameters; default: by the extension of the name
         * @return this
         */
        public Builder contentType(String type) {
            handle().setContentType(type);
            return this;
        }

        /**
         * Adds a form field of the program to every request, or replaces its value.
         *
         * @param name   not empty, and not a field of the protocol
         * @param value  any text
         * @return this
         */
        public Builder field(String name, String value) {
            handle().setField(name, value);
            return this;
        }

        /**
         * Limits the size of one request. Seldom needed: after a request that has brought nothing, the next ones
         * are smaller by themselves.
         *
         * @param bytes  file bytes, 1 or more; default: everything in one request, as long as that works
         * @return this
         */
        public Builder segmentSize(long bytes) {
            if (bytes <= 0)
                throw new IllegalArgumentException("segment size must be more than 0 bytes, not " + bytes);
            handle().setSegmentSize(bytes);
            return this;
        }

        /**
         * Sends several requests from the first one on, whose size follows the network.
         *
         * @return this
         */
        public Builder automaticSegments() {
            handle().setAutomaticSegments();
            return this;
        }

        /**
         * Sets when the digest is computed. {@link Digest#NONE} with an algorithm by its name makes the run of a
         * file fail at its start.
         *
         * @param digest  default: {@link Digest#ONE_PASS}
         * @return this
         */
        public Builder digest(Digest digest) {
            handle().setDigest(digest);
            return this;
        }

        /**
         * Sets the algorithm of the digest. With one that is named the run fails with
         * {@link ErrorCode#DIGEST_UNAVAILABLE} where the server does not use it.
         *
         * @param algorithm  default: {@link DigestAlgorithm#AUTOMATIC}
         * @return this
         */
        public Builder digestAlgorithm(DigestAlgorithm algorithm) {
            handle().setDigestAlgorithm(algorithm);
            return this;
        }

        /**
         * Sets whether the finished file is read back and its digest compared, where the server tells none: by WebDAV,
         * tus and the IETF's protocol. Another file ends the run with {@link ErrorCode#DIGEST}, and stays there; the next
         * run replaces it. A run with a dialect, with sessions or without a digest does not start.
         *
         * @param readBack  default: false
         * @return this
         */
        public Builder readBack(boolean readBack) {
            handle().setReadBack(readBack);
            return this;
        }

        /**
         * Sets how many connections send parts of the file at most, where the server takes parts. Channels and
         * streams use one.
         *
         * @param connections  1 to 6; 0, the default, for as many as help
         * @return this
         */
        public Builder connections(int connections) {
            handle().setConnections(connections);
            return this;
        }

        /**
         * Sets presigned URLs of S3 and its likes, to which the parts of the file go in place of the client's URL: a JSON
         * object {@code {"part_size": 8388608, "parts": ["https://...", ...], "complete": "https://..."}};
         * docs/OTHER-SERVERS.md has its keys. The URLs are secrets, and get nothing of the client's login.
         *
         * @param parts  the JSON object
         * @return this
         */
        public Builder parts(String parts) {
            handle().setParts(parts);
            return this;
        }

        /**
         * Sets a file with which a later run need not read again what the server has, and without which it begins anew in
         * a protocol in which only the upload's URL finds it, such as tus. Only its owner may read it, and it is removed when
         * the upload is complete. It has no effect for byte arrays, channels and streams.
         *
         * @param path  the file, which need not exist; default: none
         * @return this
         */
        public Builder stateFile(Path path) {
            handle().setStateFile(path);
            return this;
        }

        /**
         * Limits the rate of the upload, as {@link ResumableUpload#setRateLimit} does later.
         *
         * @param bytesPerSecond  file bytes per second; 0, the default, for no limit
         * @return this
         */
        public Builder rateLimit(long bytesPerSecond) {
            handle().setRateLimit(ResumableUploadClient.notNegative("rate limit", bytesPerSecond));
            return this;
        }

        /**
         * Sets the listener.
         *
         * @param listener  receives the events, on the thread of the run; default: none
         * @return this
         */
        public Builder listener(UploadListener listener) {
            this.listener = Objects.requireNonNull(listener, "listener must not be null");
            return this;
        }

        /**
         * Creates the upload. Nothing is sent yet.
         *
         * @return the upload, which the program must close
         * @throws IllegalStateException  this builder has been used before
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
