package io.resup;

import java.nio.file.Path;
import java.time.Duration;

/**
 * A client of the native library.
 *
 * <p>Native methods take the number of the client, text as UTF-16 code units, times in milliseconds, and enum constants
 * as their codes. They throw {@link IllegalStateException} when the client is closed, and
 * {@link IllegalArgumentException} for a value that is not valid.
 */
final class NativeClient extends Handle {
    NativeClient(String endpoint) {
        super(create(Text.chars(endpoint)), NativeClient::free);
    }

    void setUser(String user) {
        setUser(number, Text.chars(user));
    }

    void setUserAgent(String agent) {
        setUserAgent(number, Text.chars(agent));
    }

    void setProtocol(Protocol protocol) {
        setProtocol(number, protocol.code);
    }

    void setDialect(String dialect) {
        setDialect(number, Text.chars(dialect));
    }

    void setLocateMethod(LocateMethod method) {
        setLocateMethod(number, method.code);
    }

    void setCreationWithUpload(boolean allowed) {
        setCreationWithUpload(number, allowed);
    }

    void setConnectTimeout(Duration time) {
        setConnectTimeout(number, milliseconds("connectTimeout", time));
    }

    void setResponseTimeout(Duration time) {
        setResponseTimeout(number, milliseconds("responseTimeout", time));
    }

    void setStallTimeout(Duration time) {
        setStallTimeout(number, milliseconds("stallTimeout", time));
    }

    void setRetryLimit(int limit) {
        setRetryLimit(number, limit);
    }

    void setRetryTimeout(Duration time) {
        setRetryTimeout(number, milliseconds("retryTimeout", time));
    }

    void setRetryBackoff(Duration first, Duration longest) {
        setRetryBackoff(number, milliseconds("retryBackoff", first), milliseconds("retryBackoff", longest));
    }

    void setRateLimit(long bytesPerSecond) {
        setRateLimit(number, bytesPerSecond);
    }

    void setLoginForm(String url) {
        setLoginForm(number, Text.chars(url));
    }

    void setLoginField(String name, String value) {
        setLoginField(number, Text.chars(name), Text.chars(value));
    }

    void setBasicAuth(String user, String password) {
        setBasicAuth(number, Text.chars(user), Text.chars(password));
    }

    void setBearerToken(String token) {
        setBearerToken(number, Text.chars(token));
    }

    void setHeader(String name, String value) {
        setHeader(number, Text.chars(name), Text.chars(value));
    }

    void setCookie(String name, String value) {
        setCookie(number, Text.chars(name), Text.chars(value));
    }

    void setSigningSecret(byte[] secret) {
        setSigningSecret(number, secret);
    }

    void setSigningAlgorithm(SigningAlgorithm algorithm) {
        setSigningAlgorithm(number, algorithm.code);
    }

    void setProxy(String proxy) {
        setProxy(number, Text.chars(proxy));
    }

    void setNoProxy(String list) {
        setNoProxy(number, Text.chars(list));
    }

    void setTrust(Trust trust) {
        setTrust(number, trust.code);
    }

    void setCaFile(Path file) {
        setCaFile(number, Text.path(file));
    }

    void setCaPem(String pem) {
        setCaPem(number, Text.chars(pem));
    }

    void setClientCertificate(Path certificate, Path key) {
        setClientCertificate(number, Text.path(certificate), Text.path(key));
    }

    void setTlsVerify(boolean verify) {
        setTlsVerify(number, verify);
    }

    void setFilenameStyle(FilenameStyle style) {
        setFilenameStyle(number, style.code);
    }

    void setLogLevel(LogLevel level) {
        setLogLevel(number, level.code);
    }

    NativeUpload uploadFile(Path file) throws ResupException {
        return new NativeUpload(uploadFile(number, Text.path(file)));
    }

    NativeUpload uploadBytes(byte[] bytes, String name) {
        return new NativeUpload(uploadBytes(number, bytes, Text.chars(name)));
    }

    NativeUpload uploadStream(String name) {
        return new NativeUpload(uploadStream(number, Text.chars(name)));
    }

    NativeUpload uploadReader(String name) {
        return new NativeUpload(uploadReader(number, Text.chars(name)));
    }

    /** Rounds up to milliseconds. A time too long to count is too long for every setting, too. */
    private static long milliseconds(String setting, Duration time) {
        if (time.isNegative())
            throw new IllegalArgumentException(setting + " must not be less than 0, but is " + time);
        try {
            return time.plusNanos(999_999).toMillis();
        } catch (ArithmeticException tooLong) {
            return Long.MAX_VALUE;
        }
    }

    private static native long create(char[] endpoint);

    private static native void free(long number);

    private native void setUser(long number, char[] user);

    private native void setUserAgent(long number, char[] agent);

    private native void setProtocol(long number, int code);

    private native void setDialect(long number, char[] dialect);

    private native void setLocateMethod(long number, int code);

    private native void setCreationWithUpload(long number, boolean allowed);

    private native void setConnectTimeout(long number, long ms);

    private native void setResponseTimeout(long number, long ms);

    private native void setStallTimeout(long number, long ms);

    private native void setRetryLimit(long number, int limit);

    private native void setRetryTimeout(long number, long ms);

    private native void setRetryBackoff(long number, long firstMs, long longestMs);

    private native void setRateLimit(long number, long bytesPerSecond);

    private native void setLoginForm(long number, char[] url);

    private native void setLoginField(long number, char[] name, char[] value);

    private native void setBasicAuth(long number, char[] user, char[] password);

    private native void setBearerToken(long number, char[] token);

    private native void setHeader(long number, char[] name, char[] value);

    private native void setCookie(long number, char[] name, char[] value);

    private native void setSigningSecret(long number, byte[] secret);

    private native void setSigningAlgorithm(long number, int code);

    private native void setProxy(long number, char[] proxy);

    private native void setNoProxy(long number, char[] list);

    private native void setTrust(long number, int code);

    private native void setCaFile(long number, char[] file);

    private native void setCaPem(long number, char[] pem);

    private native void setClientCertificate(long number, char[] certificate, char[] key);

    private native void setTlsVerify(long number, boolean verify);

    private native void setFilenameStyle(long number, int code);

    private native void setLogLevel(long number, int code);

    private native long uploadFile(long number, char[] file) throws ResupException;

    private native long uploadBytes(long number, byte[] bytes, char[] name);

    private native long uploadStream(long number, char[] name);

    private native long uploadReader(long number, char[] name);
}
