package io.resup;

import java.time.Duration;

/** A client of the native side. */
final class NativeClient extends Handle {
    NativeClient(String endpoint) {
        super(create(Text.chars(endpoint)), NativeClient::free);
    }

    void set(String setting, String a, String b) {
        set(setting, Text.chars(a), Text.chars(b));
    }

    void set(String setting, char[] a, char[] b) {
        setText(number, Text.chars(setting), a, b);
    }

    void set(String setting, long value) {
        setNumber(number, Text.chars(setting), value, 0);
    }

    void set(String setting, Duration a, Duration b) {
        setNumber(number, Text.chars(setting), milliseconds(setting, a), milliseconds(setting, b));
    }

    void setSigningSecret(byte[] secret) {
        setSigningSecret(number, secret);
    }

    NativeUpload ofFile(char[] path) throws ResupException {
        return new NativeUpload(ofFile(number, path));
    }

    NativeUpload ofBytes(byte[] bytes, String name) {
        return new NativeUpload(ofBytes(number, bytes, Text.chars(name)));
    }

    NativeUpload ofStream(String name) {
        return new NativeUpload(ofStream(number, Text.chars(name)));
    }

    /** Rounded up; what is too long to count is too long for any setting. */
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

    private native void setText(long number, char[] setting, char[] a, char[] b);

    private native void setNumber(long number, char[] setting, long a, long b);

    private native void setSigningSecret(long number, byte[] secret);

    private native long ofFile(long number, char[] path) throws ResupException;

    private native long ofBytes(long number, byte[] bytes, char[] name);

    private native long ofStream(long number, char[] name);

    private static native void free(long number);
}
