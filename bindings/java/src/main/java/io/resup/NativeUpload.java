package io.resup;

import java.io.IOException;
import java.nio.file.Path;

/**
 * An upload of the native library.
 *
 * <p>Native methods take the number of the upload, text as UTF-16 code units, and enum constants as their codes. They
 * throw {@link IllegalStateException} when the upload is closed, those of settings also during a run, and
 * {@link IllegalArgumentException} for a value that is not valid.
 */
final class NativeUpload extends Handle {
    NativeUpload(long number) {
        super(number, NativeUpload::free);
    }

    void setName(String name) {
        setName(number, Text.chars(name));
    }

    void setDirectory(String directory) {
        setDirectory(number, Text.chars(directory));
    }

    void setContentType(String type) {
        setContentType(number, Text.chars(type));
    }

    void setField(String name, String value) {
        setField(number, Text.chars(name), Text.chars(value));
    }

    void setSegmentSize(long bytes) {
        setSegmentSize(number, bytes);
    }

    void setAutomaticSegments() {
        setAutomaticSegments(number);
    }

    void setDigest(Digest digest) {
        setDigest(number, digest.code);
    }

    void setDigestAlgorithm(DigestAlgorithm algorithm) {
        setDigestAlgorithm(number, algorithm.code);
    }

    void setReadBack(boolean readBack) {
        setReadBack(number, readBack);
    }

    void setConnections(int connections) {
        setConnections(number, connections);
    }

    void setParts(String parts) {
        setParts(number, Text.chars(parts));
    }

    void setStateFile(Path file) {
        setStateFile(number, Text.path(file));
    }

    void setRateLimit(long bytesPerSecond) {
        setRateLimit(number, bytesPerSecond);
    }

    /** Begins a run. {@link #run} must follow; it also throws where the run could not begin. */
    void start() {
        start(number);
    }

    /** Begins to take the upload back. {@link #run} must follow, too. */
    void startDiscard() {
        startDiscard(number);
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

    String failure() {
        return Text.of(failure(number));
    }

    String protocol() {
        return Text.of(protocol(number));
    }

    String id() {
        return Text.of(id(number));
    }

    String location() {
        return Text.of(location(number));
    }

    DigestAlgorithm digestAlgorithm() {
        return DigestAlgorithm.of(digestAlgorithm(number));
    }

    String digest() {
        return Text.of(digest(number));
    }

    String md5() {
        return Text.of(md5(number));
    }

    String serverMessage() {
        return Text.of(serverMessage(number));
    }

    private static native void free(long number);

    private native void setName(long number, char[] name);

    private native void setDirectory(long number, char[] directory);

    private native void setContentType(long number, char[] type);

    private native void setField(long number, char[] name, char[] value);

    private native void setSegmentSize(long number, long bytes);

    private native void setAutomaticSegments(long number);

    private native void setDigest(long number, int code);

    private native void setDigestAlgorithm(long number, int code);

    private native void setReadBack(long number, boolean readBack);

    private native void setConnections(long number, int connections);

    private native void setParts(long number, char[] parts);

    private native void setStateFile(long number, char[] file);

    private native void setRateLimit(long number, long bytesPerSecond);

    private native void start(long number);

    private native void startDiscard(long number);

    private native void run(long number, Run run) throws IOException;

    private native void cancel(long number);

    private native void pause(long number);

    private native void resume(long number);

    /** Returns the numbers in the order of {@link UploadProgress.Field}. */
    private native long[] numbers(long number);

    /** Returns null where no attempt of the run in progress has failed since the server's last answer. */
    private native char[] failure(long number);

    /** Returns null where the server sent none. */
    private native char[] protocol(long number);

    private native char[] id(long number);

    /** Returns null where the server sent none. */
    private native char[] location(long number);

    /** Returns the code of {@link DigestAlgorithm#AUTOMATIC} where no digest is used. */
    private native int digestAlgorithm(long number);

    /** Returns null where the file was not read whole. */
    private native char[] digest(long number);

    /** Returns null where the file was not read whole, or has another digest. */
    private native char[] md5(long number);

    /** Returns null where the server sent none. */
    private native char[] serverMessage(long number);
}
