package io.resup;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Objects;

/**
 * A server, and what all uploads to it share: connections, limits, logins, proxies. All threads may use it at once.
 *
 * <pre>{@code
 * ResumableUploadClient client = ResumableUploadClient.builder("https://files.example/upload")
 *     .loginForm("https://files.example/login")
 *     .loginField("user", "joe")
 *     .loginField("password", password)
 *     .proxy("http://proxy.example:3128")
 *     .retryLimit(20)
 *     .build();
 * }</pre>
 *
 * <p>A client that is not closed is freed some time after the garbage collector has found it unreachable.
 */
public final class ResumableUploadClient implements AutoCloseable {
    private static final LogListener SILENT = (level, line) -> {
    };
    /** The source of uploads that the native library reads itself. */
    private static final Source NONE = new StreamSource(0, () -> null);

    private final NativeClient handle;
    private final LogListener log;

    private ResumableUploadClient(Builder builder) {
        handle = builder.handle;
        log = builder.log;
    }

    /**
     * Creates a client with the default settings. Nothing is sent yet.
     *
     * @param endpoint  the upload URL of the server, http or https
     * @return the client, which the program must close
     * @throws IllegalArgumentException  the endpoint is not such a URL
     * @throws UnsatisfiedLinkError      the native library cannot be loaded; the message says why
     */
    public static ResumableUploadClient create(String endpoint) {
        return builder(endpoint).build();
    }

    /**
     * Creates a builder with the default settings.
     *
     * @param endpoint  the upload URL of the server, http or https
     * @return a builder for one client
     * @throws IllegalArgumentException  the endpoint is not such a URL
     * @throws UnsatisfiedLinkError      the native library cannot be loaded; the message says why
     */
    public static Builder builder(String endpoint) {
        Objects.requireNonNull(endpoint, "endpoint must not be null");
        Loader.load();
        return new Builder(new NativeClient(endpoint));
    }

    /**
     * Creates an upload of a file, under the name of the file; one that is not UTF-8 needs a
     * {@linkplain ResumableUpload.Builder#name(String) name} before it runs. Nothing is sent yet, and the file is not kept
     * open. An upload with the same name, directory, size and modification time continues an earlier one. A file of
     * another file system than the default one, for example in a zip file, is read as a
     * {@linkplain #upload(String, long, StreamOpener) stream}.
     *
     * @param file  a regular file
     * @return a builder
     * @throws ResupException         {@link ErrorCode#SOURCE_NOT_FOUND} and the other codes of sources;
     *                                {@link ErrorCode#ARGUMENT} for a name that cannot be sent
     * @throws IOException            the other file system failed
     * @throws IllegalStateException  the client is closed
     */
    public ResumableUpload.Builder upload(Path file) throws IOException {
        Objects.requireNonNull(file, "file must not be null");
        try {
            if (file.getFileSystem() == FileSystems.getDefault())
                return new ResumableUpload.Builder(handle.uploadFile(file), log, NONE);
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            if (!attributes.isRegularFile())
                throw new ResupException(ErrorCode.SOURCE_NOT_A_FILE, "\"" + file + "\" is not a regular file", null);
            return upload(file.getFileName().toString(), attributes.size(), () -> Files.newInputStream(file));
        } catch (IllegalArgumentException noName) {
            throw new ResupException(ErrorCode.ARGUMENT, noName.getMessage(), noName);
        }
    }

    /**
     * Creates an upload of a file, as {@link #upload(Path)} does.
     *
     * @param file  a regular file
     * @return a builder
     * @throws ResupException         {@link ErrorCode#SOURCE_NOT_FOUND} and the other codes of sources;
     *                                {@link ErrorCode#ARGUMENT} for a name that cannot be sent
     * @throws IOException            never for another cause
     * @throws IllegalStateException  the client is closed
     */
    public ResumableUpload.Builder upload(File file) throws IOException {
        Path path;
        try {
            path = Objects.requireNonNull(file, "file must not be null").toPath();
        } catch (InvalidPathException noPath) {
            throw new ResupException(ErrorCode.ARGUMENT, noPath.getMessage(), noPath);
        }
        return upload(path);
    }

    /**
     * Creates an upload of bytes, which are copied to memory outside of Java's heap.
     *
     * @param name   the file name that is sent to the server
     * @param bytes  the content
     * @return a builder
     * @throws IllegalArgumentException  the name is not valid
     * @throws IllegalStateException     the client is closed
     * @throws OutOfMemoryError          there is no memory for the copy
     */
    public ResumableUpload.Builder upload(String name, byte[] bytes) {
        return new ResumableUpload.Builder(handle.uploadBytes(Objects.requireNonNull(bytes, "bytes must not be null"), name), log, NONE);
    }

    /**
     * Creates an upload of a channel. It is read only inside {@code run()}, on that thread, and twice: first for the digest,
     * since nothing else distinguishes two versions of it. The upload does not close it; but an interrupt of the thread
     * closes an {@link java.nio.channels.InterruptibleChannel} and cancels the upload.
     *
     * @param name     the file name that is sent to the server
     * @param channel  the content, from beginning to end
     * @return a builder
     * @throws IllegalArgumentException  the name is not valid
     * @throws IllegalStateException     the client is closed
     */
    public ResumableUpload.Builder upload(String name, SeekableByteChannel channel) {
        Source source = new ChannelSource(Objects.requireNonNull(channel, "channel must not be null"));
        return new ResumableUpload.Builder(handle.uploadStream(name), log, source);
    }

    /**
     * Creates an upload of a stream that can be opened again: after a lost connection the upload opens a new one and
     * skips what the server has. Streams are read only inside {@code run()}, on that thread, and at least twice, first
     * for the digest.
     *
     * @param name    the file name that is sent to the server
     * @param size    the size in bytes; no more are read, and fewer are an error
     * @param opener  opens the stream
     * @return a builder
     * @throws IllegalArgumentException  the name is not valid, or the size is less than 0
     * @throws IllegalStateException     the client is closed
     */
    public ResumableUpload.Builder upload(String name, long size, StreamOpener opener) {
        Source source = new StreamSource(notNegative("size", size), Objects.requireNonNull(opener, "opener must not be null"));
        return new ResumableUpload.Builder(handle.uploadStream(name), log, source);
    }

    /**
     * Creates an upload of a stream that is read once, to its end: the output of a program, an archive that is made on
     * the way. Until its end the size is {@link UploadProgress#SIZE_UNKNOWN}. The server has to speak tus with the
     * extension creation-defer-length, or the IETF's resumable uploads; else the run fails with
     * {@link ErrorCode#ARGUMENT}. The stream is read only inside {@code run()}, on that thread; the upload does not close
     * it. While a read blocks, the run cannot end.
     *
     * <p>What the server has not confirmed is kept in memory outside of Java's heap, 8 MiB at most. So the upload goes on
     * after a lost connection, and in another run of the same object, but never anew: where the server has lost more,
     * the run fails with {@link ErrorCode#SOURCE_IO}.
     *
     * @param name    the file name that is sent to the server
     * @param stream  the content
     * @return a builder
     * @throws IllegalArgumentException  the name is not valid
     * @throws IllegalStateException     the client is closed
     */
    public ResumableUpload.Builder upload(String name, InputStream stream) {
        Source source = new ForwardSource(Objects.requireNonNull(stream, "stream must not be null"));
        return new ResumableUpload.Builder(handle.uploadReader(name), log, source);
    }

    /**
     * Limits the rate of all uploads of this client together, from now on.
     *
     * @param bytesPerSecond  file bytes per second; 0, the default, for no limit
     * @throws IllegalArgumentException  the limit is less than 0
     * @throws IllegalStateException     the client is closed
     */
    public void setRateLimit(long bytesPerSecond) {
        handle.setRateLimit(notNegative("rate limit", bytesPerSecond));
    }

    /** Frees the client. Its uploads keep what they need of it and continue. Later calls do nothing. */
    @Override
    public void close() {
        handle.free();
    }

    static long notNegative(String what, long value) {
        if (value < 0)
            throw new IllegalArgumentException(what + " must not be less than 0, but is " + value);
        return value;
    }

    /**
     * The settings of a new client. Each method returns this builder, and throws an {@link IllegalArgumentException} for
     * a value that is not valid, with a message that says why and contains no secret.
     */
    public static final class Builder {
        private NativeClient handle;
        private LogListener log = SILENT;

        private Builder(NativeClient handle) {
            this.handle = handle;
        }

        /**
         * Sets the user name that is sent with each file. It is no login.
         *
         * @param user  one line, not empty; default: none
         * @return this
         */
        public Builder user(String user) {
            handle().setUser(user);
            return this;
        }

        /**
         * Sets the User-Agent header.
         *
         * @param agent  one line of ASCII; default: {@code resup/} and the version
         * @return this
         */
        public Builder userAgent(String agent) {
            handle().setUserAgent(agent);
            return this;
        }

        /**
         * Sets the protocol that the server speaks. In another one than {@link Protocol#FORM} only the
         * {@linkplain ResumableUpload.Builder#stateFile state file} tells another run where its upload is, and a run with a
         * signing secret or a digest by its name fails with {@link ErrorCode#ARGUMENT}.
         *
         * @param protocol  default: {@link Protocol#AUTO}
         * @return this
         */
        public Builder protocol(Protocol protocol) {
            handle().setProtocol(protocol);
            return this;
        }

        /**
         * Sets a dialect of forms, in place of a protocol: of both settings the last one counts. A signing secret or a
         * digest by its name fails then, too.
         *
         * @param dialect  a preset's name, such as {@code plain} for one POST as browsers make it, or a JSON object;
         *                 docs/DIALECTS.md has both
         * @return this
         */
        public Builder dialect(String dialect) {
            handle().setDialect(dialect);
            return this;
        }

        /**
         * Sets the HTTP method with which the server is asked for its offset.
         *
         * @param method  default: {@link LocateMethod#POST}
         * @return this
         */
        public Builder locateMethod(LocateMethod method) {
            handle().setLocateMethod(method);
            return this;
        }

        /**
         * Sets whether the request that creates an upload by tus may carry a whole file of up to 256 KiB, where the
         * server has the extension creation-with-upload. If its response is lost, that upload stays at the server, and
         * the file goes there once more.
         *
         * @param allowed  default: false
         * @return this
         */
        public Builder creationWithUpload(boolean allowed) {
            handle().setCreationWithUpload(allowed);
            return this;
        }

        /**
         * Limits the time of a name lookup, and that of connecting with TLS.
         *
         * @param time  more than 0, at most a year; default: 30 s
         * @return this
         */
        public Builder connectTimeout(Duration time) {
            handle().setConnectTimeout(time);
            return this;
        }

        /**
         * Limits the time from the end of a request to its response.
         *
         * @param time  more than 0, at most a year; default: 120 s
         * @return this
         */
        public Builder responseTimeout(Duration time) {
            handle().setResponseTimeout(time);
            return this;
        }

        /**
         * Limits the time during which the network accepts no byte of a request.
         *
         * @param time  more than 0, at most a year; default: 60 s
         * @return this
         */
        public Builder stallTimeout(Duration time) {
            handle().setStallTimeout(time);
            return this;
        }

        /**
         * Limits how many more attempts follow a failed one, as long as the server gets no further byte.
         *
         * @param limit  0 or more; default: 8
         * @return this
         */
        public Builder retryLimit(int limit) {
            handle().setRetryLimit((int) notNegative("retry limit", limit));
            return this;
        }

        /**
         * Limits the time during which attempts fail, as long as the server gets no further byte.
         *
         * @param time  at most a year; 0, the default, for no limit except that of {@link #retryLimit}
         * @return this
         */
        public Builder retryTimeout(Duration time) {
            handle().setRetryTimeout(time);
            return this;
        }

        /**
         * Sets the delays between attempts: each is random, below a bound that doubles with each attempt.
         *
         * @param first    the first bound, more than 0; default: 500 ms
         * @param longest  the last bound, at most a year; default: 30 s
         * @return this
         */
        public Builder retryBackoff(Duration first, Duration longest) {
            handle().setRetryBackoff(first, longest);
            return this;
        }

        /**
         * Limits the rate of all uploads together, as {@link ResumableUploadClient#setRateLimit} does later.
         *
         * @param bytesPerSecond  file bytes per second; 0, the default, for no limit
         * @return this
         */
        public Builder rateLimit(long bytesPerSecond) {
            handle().setRateLimit(notNegative("rate limit", bytesPerSecond));
            return this;
        }

        /**
         * Logs in by a form before the first request, and again when the session ends. Cookies are kept.
         *
         * @param url  a URL with the scheme, host and port of the endpoint
         * @return this
         */
        public Builder loginForm(String url) {
            handle().setLoginForm(url);
            return this;
        }

        /**
         * Adds a field to the login form, or replaces its value; only after {@link #loginForm}.
         *
         * @param name   not empty
         * @param value  never part of a message
         * @return this
         */
        public Builder loginField(String name, String value) {
            handle().setLoginField(name, value);
            return this;
        }

        /**
         * Sends HTTP Basic authorization with every request.
         *
         * @param user      not empty, without a colon
         * @param password  never part of a message
         * @return this
         */
        public Builder basicAuth(String user, String password) {
            handle().setBasicAuth(user, password);
            return this;
        }

        /**
         * Sends a bearer token with every request, in place of another authorization.
         *
         * @param token  printable ASCII; never part of a message
         * @return this
         */
        public Builder bearerToken(String token) {
            handle().setBearerToken(token);
            return this;
        }

        /**
         * Adds a header of the program to every request, or replaces its value.
         *
         * @param name   not a header that the library sets itself
         * @param value  one line; never part of a message
         * @return this
         */
        public Builder header(String name, String value) {
            handle().setHeader(name, value);
            return this;
        }

        /**
         * Adds a cookie of the program to every request, or replaces its value.
         *
         * @param name   the name of the cookie
         * @param value  never part of a message
         * @return this
         */
        public Builder cookie(String name, String value) {
            handle().setCookie(name, value);
            return this;
        }

        /**
         * Signs every form with a secret.
         *
         * @param secret  any bytes, which are copied
         * @return this
         */
        public Builder signingSecret(byte[] secret) {
            handle().setSigningSecret(Objects.requireNonNull(secret, "secret must not be null"));
            return this;
        }

        /**
         * Sets the algorithm with which forms are signed.
         *
         * @param algorithm  default: {@link SigningAlgorithm#HMAC_SHA256}
         * @return this
         */
        public Builder signingAlgorithm(SigningAlgorithm algorithm) {
            handle().setSigningAlgorithm(algorithm);
            return this;
        }

        /**
         * Sets the proxy. System properties such as {@code http.proxyHost} have no effect.
         *
         * @param proxy  {@code none}, {@code system} (the default: the environment, or Windows' settings), or
         *               {@code scheme://user:password@host:port} with http, socks4, socks4a, socks5 or socks5h
         * @return this
         */
        public Builder proxy(String proxy) {
            handle().setProxy(proxy);
            return this;
        }

        /**
         * Sets the hosts that are reached without a proxy, in place of the environment variable {@code no_proxy}.
         *
         * @param list  domains, addresses and CIDR blocks, separated by commas
         * @return this
         */
        public Builder noProxy(String list) {
            handle().setNoProxy(list);
            return this;
        }

        /**
         * Sets the root certificates that are trusted as long as no CA is set.
         *
         * @param trust  default: {@link Trust#SYSTEM}
         * @return this
         */
        public Builder trust(Trust trust) {
            handle().setTrust(trust);
            return this;
        }

        /**
         * Trusts the CAs in a file, and no others except those of further calls. A server may show one of these
         * certificates as its own.
         *
         * @param path  a file, PEM or DER, read at once
         * @return this
         */
        public Builder caFile(Path path) {
            handle().setCaFile(path);
            return this;
        }

        /**
         * Trusts the CAs in a text, and no others except those of further calls.
         *
         * @param pem  the content of a PEM file
         * @return this
         */
        public Builder caPem(String pem) {
            handle().setCaPem(pem);
            return this;
        }

        /**
         * Sets the certificate for servers that require one of the client.
         *
         * @param certificate  a file, PEM or DER, with the chain, the client's own certificate first
         * @param key          such a file with its key, not encrypted; both may be the same file
         * @return this
         */
        public Builder clientCertificate(Path certificate, Path key) {
            handle().setClientCertificate(certificate, key);
            return this;
        }

        /**
         * Sets whether the certificate of the server is verified. If not, others can read and change everything.
         *
         * @param verify  default: true
         * @return this
         */
        public Builder tlsVerify(boolean verify) {
            handle().setTlsVerify(verify);
            return this;
        }

        /**
         * Sets the encoding of file names in forms.
         *
         * @param style  default: {@link FilenameStyle#WHATWG}
         * @return this
         */
        public Builder filenameStyle(FilenameStyle style) {
            handle().setFilenameStyle(style);
            return this;
        }

        /**
         * Sets the listener for the log of all uploads.
         *
         * @param level     the least important level to log
         * @param listener  receives the lines, on each thread that is inside {@code run()}; default: none
         * @return this
         */
        public Builder log(LogLevel level, LogListener listener) {
            log = Objects.requireNonNull(listener, "listener must not be null");
            handle().setLogLevel(level);
            return this;
        }

        /**
         * Creates the client. Nothing is sent yet.
         *
         * @return the client, which the program must close
         * @throws IllegalStateException  this builder has been used before
         */
        public ResumableUploadClient build() {
            handle();
            ResumableUploadClient client = new ResumableUploadClient(this);
            handle = null;
            return client;
        }

        private NativeClient handle() {
            if (handle == null)
                throw new IllegalStateException("the client has been built; each has a builder of its own");
            return handle;
        }
    }
}
