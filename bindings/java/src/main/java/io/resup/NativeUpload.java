package io.resup;

import java.io.IOException;

/** An upload of the native side. */
final class NativeUpload extends Handle {
    NativeUpload(long number) {
        super(number, NativeUpload::free);
    }

    void set(String setting, String a, String b) {
        set(setting, Text.chars(a), Text.chars(b));
    }

    void set(String setting, char[] a, char[] b) {
        setText(number, Text.chars(setting), a, b);
    }

    void set(String setting, long value) {
        setNumber(number, Text.chars(setting), value);
    }

    /** Begins a run; {@link #run} follows, and tells also that it could not begin. */
    void start() {
        start(number);
    }

    void run(Run run) throws IOException {
        run(number, run);
    }

    void cancel() {
        cancel(number);
    }

    void pause() {
        pause(number);
    }

    void resume() {
        resume(number);
    }

    UploadProgress progress() {
        return new UploadProgress(numbers(number));
    }

    String text(String which) {
        return Text.of(text(number, Text.chars(which)));
    }

    private native void setText(long number, char[] setting, char[] a, char[] b);

    private native void setNumber(long number, char[] setting, long value);

    private native void start(long number);

    private native void run(long number, Run run) throws IOException;

    private native void cancel(long number);

    private native void pause(long number);

    private native void resume(long number);

    private native long[] numbers(long number);

    private native char[] text(long number, char[] which);

    private static native void free(long number);
}
