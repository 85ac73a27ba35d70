package io.resup;

import java.io.File;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Objects;

/**
 * A server, and what all uploads to it share: connections, limits, logins, proxies. May be used by all threads at once.
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
 * <p>One that is not closed is let go of some time after the garbage collector has found it.
 */
public final class ResumableUploadClient implements AutoCloseable {
    private static final LogListener SILENT = (level, line) -> {
    };
    /** Of what the native side reads itself. */
    private static final Source NONE = new StreamSource(0, () -> null);

    private final NativeClient handle;
    private final LogListener log;

    private ResumableUploadClient(Builder builder) {
        handle = builder.handle;
        log = builder.log;
    }

    /**
     * A client with the default settings. Nothing is sent yet.
     *
     * @param endpoint  the server's upload address, http or https
     * @return the client, to be closed
     * @throws IllegalArgumentException  when that is no such address
     * @throws UnsatisfiedLinkError      when the native library cannot be loaded; the message says why
     */
    public static ResumableUploadClient create(String endpoint) {
        return builder(endpoint).build();
    }

    /**
     * The settings of a client that is to be made.
     *
     * @param endpoint  the server's upload address, http or https
     * @return a builder, for one client
     * @throws IllegalArgumentException  when that is no such address
     * @throws UnsatisfiedLinkError      when the native library cannot be loaded; the message says why
     */
    public static Builder builder(String endpoint) {
        Objects.requireNonNull(endpoint, "endpoint");
        Loader.load();
        return new Builder(new NativeClient(endpoint));
    }

    /**
     * An upload of a file, under its own name. Nothing is sent yet, and the file is not kept open. It is the same upload
     * as before if its name, directory, size and modification time are. A file of another file system than the default
     * one, in a zip file for example, is read as a {@linkplain #upload(String, long, StreamOpener) stream}.
     *
     * @param file  a regular file
     * @return a builder
     * @throws ResupException         {@link ErrorCode#SOURCE_NOT_FOUND} and the others of a source;
     *                                {@link ErrorCode#ARGUMENT} for a name that is no text or too long
     * @throws IOException            the other file system's failure
     * @throws IllegalStateException  the client is closed
     */
    public ResumableUpload.Builder upload(Path file) throws IOException {
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
     * An upload of a file, as {@link #upload(Path)}.
     *
     * @param file  a regular file
     * @return a builder
     * @throws ResupException         {@link ErrorCode#SOURCE_NOT_FOUND} and the others of a source;
     *                                {@link ErrorCode#ARGUMENT} for a name that is no text or too long
     * @throws IOException            never otherwise
     * @throws IllegalStateException  the client is closed
     */
    public ResumableUpload.Builder upload(File file) throws IOException {
        Path path;
        try {
            path = file.toPath();
        } catch (InvalidPathException noPath) {
            throw new ResupException(ErrorCode.ARGUMENT, noPath.getMessage(), noPath);
        }
        return upload(path);
    }

    /**
     * An upload of bytes in memory, which are copied out of Java's heap.
     *
     * @param name   the file name that the server is told
     * @param bytes  what to upload
     * @return a builder
     * @throws IllegalArgumentException  when the name cannot be one
     * @throws IllegalStateException     the client is closed
     * @throws OutOfMemoryError          there is no room for the copy
     */
    public ResumableUpload.Builder upload(String name, byte[] bytes) {
        return new ResumableUpload.Builder(handle.uploadBytes(Objects.requireNonNull(bytes, "bytes"), name), log, NONE);
    }

    /**
     * An upload of a channel. It is read only inside {@code run()}, on that thread, and twice: first for its MD5, since
     * nothing else tells two versions of it apart. It is not closed; but an interrupt of the thread closes one that is
     * an {@link java.nio.channels.InterruptibleChannel}, and ends the upload.
     *
     * @param name     the file name that the server is told
     * @param channel  what to upload, from its beginning to its end
     * @return a builder
     * @throws IllegalArgumentException  when the name cannot be one
     * @throws IllegalStateException     the client is closed
     */
    public ResumableUpload.Builder upload(String name, SeekableByteChannel channel) {
        Source source = new ChannelSource(Objects.requireNonNull(channel, "channel"));
        return new ResumableUpload.Builder(handle.uploadStream(name), log, source);
    }

    /**
     * An upload of a stream that can be opened again: after a break it is opened anew, and skipped to where the server
     * is. It is read only inside {@code run()}, on that thread, and at least twice, first for its MD5.
     *
     * @param name    the file name that the server is told
     * @param size    bytes in the whole; no more are read, and fewer are an error
     * @param opener  opens the stream
     * @return a builder
     * @throws IllegalArgumentException  when the name cannot be one, or the size is less than 0
     * @throws IllegalStateException     the client is closed
     */
    public ResumableUpload.Builder upload(String name, long size, StreamOpener opener) {
        Source source = new StreamSource(notNegative("size", size), Objects.requireNonNull(opener, "opener"));
        return new ResumableUpload.Builder(handle.uploadStream(name), log, source);
    }

    /**
     * Limits how much all uploads of this client send together; counts at once.
     *
     * @param bytesPerSecond  file bytes per second; 0, the default, for no limit
     * @throws IllegalStateException  the client is closed
     */
    public void setRateLimit(long bytesPerSecond) {
        handle.setRateLimit(notNegative("rate limit", bytesPerSecond));
    }

    /** Lets it go. Uploads that were made with it keep what they need of it and go on. Later calls do nothing. */
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
     * The settings of a client that is to be made. Each of them returns this builder, and throws an
     * {@link IllegalArgumentException} for a value that cannot be used, with a message that says why and has no secret
     * in it.
     */
    public static final class Builder {
        private NativeClient handle;
        private LogListener log = SILENT;

        private Builder(NativeClient handle) {
            this.handle = handle;
        }

        /**
         * The user name that the server is told with each file. It is no login.
         *
         * @param user  one line, not empty; default: none
         * @return this
         */
        public Builder user(String user) {
            handle().setUser(user);
            return this;
        }

        /**
         * The User-Agent header.
         *
         * @param agent  one line of ASCII; default: {@code resup/} and the version
         * @return this
         */
        public Builder userAgent(String agent) {
            handle().setUserAgent(agent);
            return this;
        }

        /**
         * How the server is asked for its offset.
         *
         * @param method  default: {@link LocateMethod#POST}
         * @return this
         */
        public Builder locateMethod(LocateMethod method) {
            handle().setLocateMethod(method);
            return this;
        }

        /**
         * The most time for a name lookup, and for connecting with TLS, each.
         *
         * @param time  more than 0, at most a year; default: 30 s
         * @return this
         */
        public Builder connectTimeout(Duration time) {
            handle().setConnectTimeout(time);
            return this;
        }

        /**
         * The most time from the end of a request to its answer.
         *
         * @param time  more than 0, at most a year; default: 120 s
         * @return this
         */
        public Builder responseTimeout(Duration time) {
            handle().setResponseTimeout(time);
            return this;
        }

        /**
         * The most time for which the network may take nothing while there is something to send.
         *
         * @param time  more than 0, at most a year; default: 60 s
         * @return this
         */
        public Builder stallTimeout(Duration time) {
            handle().setStallTimeout(time);
            return this;
        }

        /**
         * How many attempts in a row may fail, after the first, without the server having got a byte more.
         *
         * @param limit  0 or more; default: 8
         * @return this
         */
        public Builder retryLimit(int limit) {
            handle().setRetryLimit((int) notNegative("retry limit", limit));
            return this;
        }

        /**
         * For how long attempts may fail without the server having got a byte more.
         *
         * @param time  at most a year; 0, the default, for no limit but that of their number
         * @return this
         */
        public Builder retryTimeout(Duration time) {
            handle().setRetryTimeout(time);
            return this;
        }

        /**
         * The waits between attempts: random, below a bound that doubles with each.
         *
         * @param first    the first bound, more than 0; default: 500 ms
         * @param longest  the last one, at most a year; default: 30 s
         * @return this
         */
        public Builder retryBackoff(Duration first, Duration longest) {
            handle().setRetryBackoff(first, longest);
            return this;
        }

        /**
         * As {@link ResumableUploadClient#setRateLimit}.
         *
         * @param bytesPerSecond  file bytes per second; 0, the default, for no limit
         * @return this
         */
        public Builder rateLimit(long bytesPerSecond) {
            handle().setRateLimit(notNegative("rate limit", bytesPerSecond));
            return this;
        }

        /**
         * Logs in by a form before the first request, and again when the session ends; cookies are kept.
         *
         * @param url  of the endpoint's scheme, host and port
         * @return this
         */
        public Builder loginForm(String url) {
            handle().setLoginForm(url);
            return this;
        }

        /**
         * A field of the login form; after {@link #loginForm}.
         *
         * @param name   not empty; set again, it replaces the value
         * @param value  never told in messages
         * @return this
         */
        public Builder loginField(String name, String value) {
            handle().setLoginField(name, value);
            return this;
        }

        /**
         * Basic authorization with every request.
         *
         * @param user      not empty, without a colon
         * @param password  never told in messages
         * @return this
         */
        public Builder basicAuth(String user, String password) {
            handle().setBasicAuth(user, password);
            return this;
        }

        /**
         * A bearer token with every request, in place of another authorization.
         *
         * @param token  printable ASCII; never told in messages
         * @return this
         */
        public Builder bearerToken(String token) {
            handle().setBearerToken(token);
            return this;
        }

        /**
         * A header of the program's own with every request.
         *
         * @param name   none that the library sets itself; set again, it replaces the value
         * @param value  one line; never told in messages
         * @return this
         */
        public Builder header(String name, String value) {
            handle().setHeader(name, value);
            return this;
        }

        /**
         * A cookie of the program's own with every request.
         *
         * @param name   set again, it replaces the value
         * @param value  never told in messages
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
            handle().setSigningSecret(Objects.requireNonNull(secret, "secret"));
            return this;
        }

        /**
         * How forms are signed.
         *
         * @param algorithm  default: {@link SigningAlgorithm#HMAC_SHA256}
         * @return this
         */
        public Builder signingAlgorithm(SigningAlgorithm algorithm) {
            handle().setSigningAlgorithm(algorithm);
            return this;
        }

        /**
         * The proxy that leads to the server. The properties {@code http.proxyHost} and so on do not count.
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
         * The hosts that are reached without a proxy, in place of the environment's {@code no_proxy}.
         *
         * @param list  domains, addresses and CIDR blocks, between commas
         * @return this
         */
        public Builder noProxy(String list) {
            handle().setNoProxy(list);
            return this;
        }

        /**
         * Whose root certificates are trusted while no CA is given.
         *
         * @param trust  default: {@link Trust#SYSTEM}
         * @return this
         */
        public Builder trust(Trust trust) {
            handle().setTrust(trust);
            return this;
        }

        /**
         * Trusts the CAs in a file, and no others but those of further calls.
         *
         * @param path  a PEM file, read at once
         * @return this
         */
        public Builder caFile(Path path) {
            handle().setCaFile(path);
            return this;
        }

        /**
         * Trusts the CAs in a text, and no others but those of further calls.
         *
         * @param pem  as it is in PEM files
         * @return this
         */
        public Builder caPem(String pem) {
            handle().setCaPem(pem);
            return this;
        }

        /**
         * The certificate that this side shows when the server asks for one.
         *
         * @param certificate  a PEM file with the chain, its own first
         * @param key          a PEM file with its key, not encrypted; both may be one file
         * @return this
         */
        public Builder clientCertificate(Path certificate, Path key) {
            handle().setClientCertificate(certificate, key);
            return this;
        }

        /**
         * Whether the server's certificate is verified. Without, whoever is on the way can read and change everything.
         *
         * @param verify  default: true
         * @return this
         */
        public Builder tlsVerify(boolean verify) {
            handle().setTlsVerify(verify);
            return this;
        }

        /**
         * How file names are written into forms.
         *
         * @param style  default: {@link FilenameStyle#WHATWG}
         * @return this
         */
        public Builder filenameStyle(FilenameStyle style) {
            handle().setFilenameStyle(style);
            return this;
        }

        /**
         * Who is told what uploads have to tell.
         *
         * @param level     the least important level that is told
         * @param listener  called on the threads that are inside {@code run()}, so perhaps on several at once
         * @return this
         */
        public Builder log(LogLevel level, LogListener listener) {
            log = Objects.requireNonNull(listener, "listener");
            handle().setLogLevel(level);
            return this;
        }

        /**
         * Makes the client. Nothing is sent yet.
         *
         * @return the client, to be closed
         * @throws IllegalStateException  when it was made before
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
