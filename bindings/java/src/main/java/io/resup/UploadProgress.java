package io.resup;

import java.time.Duration;
import java.util.Optional;

/** An upload's numbers at one moment; never changed, so that it can be handed to another thread. */
public final class UploadProgress {
    /** The numbers in the order in which the native library returns them; a test compares the names. */
    enum Field {
        STATE, SIZE, OFFSET, POSITION, BYTES_SENT, BYTES_SKIPPED, RATE, TIME_LEFT, ATTEMPTS, HTTP_STATUS, RETRY_IN
    }

    private final long[] numbers;

    /** Takes the numbers in the order of {@link Field}. */
    UploadProgress(long[] numbers) {
        this.numbers = numbers;
    }

    private long get(Field field) {
        return numbers[field.ordinal()];
    }

    /**
     * Where the upload is.
     *
     * @return the state
     */
    public UploadState state() {
        return UploadState.of((int) get(Field.STATE));
    }

    /**
     * The size of the file.
     *
     * @return bytes; 0 before the run has opened it
     */
    public long size() {
        return get(Field.SIZE);
    }

    /**
     * What the server has confirmed to hold, from the start of the file.
     *
     * @return bytes
     */
    public long offset() {
        return get(Field.OFFSET);
    }

    /**
     * What a progress bar shows: the confirmed bytes and those handed to the network since. It goes back when the
     * connection breaks.
     *
     * @return bytes, at most {@link #size()}
     */
    public long position() {
        return get(Field.POSITION);
    }

    /**
     * What this run has handed to the network, with what a break lost.
     *
     * @return bytes
     */
    public long bytesSent() {
        return get(Field.BYTES_SENT);
    }

    /**
     * What this run did not have to send, because the server had it.
     *
     * @return bytes
     */
    public long bytesSkipped() {
        return get(Field.BYTES_SKIPPED);
    }

    /**
     * How fast it goes, over the last seconds.
     *
     * @return bytes per second; 0 while nothing is being sent
     */
    public long rate() {
        return get(Field.RATE);
    }

    /**
     * The time left at this rate.
     *
     * @return empty where it cannot be told
     */
    public Optional<Duration> timeLeft() {
        return time(get(Field.TIME_LEFT));
    }

    /**
     * How often this run began to ask the server for its offset.
     *
     * @return 1 without breaks and pauses, and one more after each
     */
    public int attempts() {
        return (int) get(Field.ATTEMPTS);
    }

    /**
     * The HTTP status of the server's last answer in this run.
     *
     * @return 0 when there was none
     */
    public int httpStatus() {
        return (int) get(Field.HTTP_STATUS);
    }

    /**
     * The time left until the next attempt.
     *
     * @return empty but in {@link UploadState#WAITING}
     */
    public Optional<Duration> retryIn() {
        return time(get(Field.RETRY_IN));
    }

    /**
     * How much of the file is there.
     *
     * @return 0 to 1, for a progress bar; an empty file is 1 only when it is complete
     */
    public double fraction() {
        if (size() == 0)
            return state() == UploadState.COMPLETE ? 1 : 0;
        return (double) position() / size();
    }

    private static Optional<Duration> time(long milliseconds) {
        return milliseconds < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(milliseconds));
    }

    @Override
    public String toString() {
        return state() + " " + position() + " of " + size() + " bytes";
    }
}
