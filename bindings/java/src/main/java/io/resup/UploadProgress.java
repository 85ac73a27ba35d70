package io.resup;

import java.time.Duration;
import java.util.Optional;

/** The numbers of an upload at one moment. Immutable, so that it can be passed to another thread. */
public final class UploadProgress {
    /** The numbers in the order in which the native library returns them; a test compares the names. */
    enum Field {
        STATE, SIZE, OFFSET, POSITION, BYTES_SENT, BYTES_SKIPPED, RATE, TIME_LEFT, ATTEMPTS, HTTP_STATUS, RETRY_IN
    }

    /** The size of a stream that is read once, until its end. */
    public static final long SIZE_UNKNOWN = -1;

    private final long[] numbers;

    /** Takes the numbers in the order of {@link Field}. */
    UploadProgress(long[] numbers) {
        this.numbers = numbers;
    }

    private long get(Field field) {
        return numbers[field.ordinal()];
    }

    /**
     * Returns the state of the upload.
     *
     * @return the state
     */
    public UploadState state() {
        return UploadState.of((int) get(Field.STATE));
    }

    /**
     * Returns the size of the file.
     *
     * @return bytes; 0 until a run has opened the file, and {@link #SIZE_UNKNOWN}
     */
    public long size() {
        return get(Field.SIZE);
    }

    /**
     * Returns how many bytes from the start of the file the server has confirmed.
     *
     * @return bytes
     */
    public long offset() {
        return get(Field.OFFSET);
    }

    /**
     * Returns the position for a progress bar: the confirmed bytes and those written to the network since. It goes back
     * when the connection is lost.
     *
     * @return bytes, at most {@link #size()} where that is known
     */
    public long position() {
        return get(Field.POSITION);
    }

    /**
     * Returns how many bytes this run has written to the network, including those lost with a connection.
     *
     * @return bytes
     */
    public long bytesSent() {
        return get(Field.BYTES_SENT);
    }

    /**
     * Returns how many bytes this run did not have to send, because the server had them.
     *
     * @return bytes
     */
    public long bytesSkipped() {
        return get(Field.BYTES_SKIPPED);
    }

    /**
     * Returns the rate over the last seconds.
     *
     * @return bytes per second; 0 while nothing is being sent
     */
    public long rate() {
        return get(Field.RATE);
    }

    /**
     * Returns the time left at this rate.
     *
     * @return empty where it is unknown
     */
    public Optional<Duration> timeLeft() {
        return time(get(Field.TIME_LEFT));
    }

    /**
     * Returns how often this run asked the server for its offset.
     *
     * @return 1, and one more after each lost connection and each pause
     */
    public int attempts() {
        return (int) get(Field.ATTEMPTS);
    }

    /**
     * Returns the HTTP status of the last response in this run.
     *
     * @return 0 when there was none
     */
    public int httpStatus() {
        return (int) get(Field.HTTP_STATUS);
    }

    /**
     * Returns the time left until the next attempt.
     *
     * @return empty except in {@link UploadState#WAITING}
     */
    public Optional<Duration> retryIn() {
        return time(get(Field.RETRY_IN));
    }

    /**
     * Returns the position as a fraction of the size.
     *
     * @return 0 to 1, for a progress bar; an empty file is 1 only when it is complete, and one of unknown size 0
     */
    public double fraction() {
        if (size() <= 0)
            return state() == UploadState.COMPLETE ? 1 : 0;
        return (double) position() / size();
    }

    private static Optional<Duration> time(long milliseconds) {
        return milliseconds < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(milliseconds));
    }

    @Override
    public String toString() {
        String of = size() == SIZE_UNKNOWN ? "" : " of " + size();
        return state() + " " + position() + of + " bytes";
    }
}
