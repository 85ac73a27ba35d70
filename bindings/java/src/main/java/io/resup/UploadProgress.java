package io.resup;

import java.time.Duration;
import java.util.Optional;

/** An upload's numbers at one moment; never changed, so that it can be handed to another thread. */
public final class UploadProgress {
    private static final UploadState[] STATES = UploadState.values();

    private final long[] numbers;

    /** Of the numbers in the native side's order. */
    UploadProgress(long[] numbers) {
        this.numbers = numbers;
    }

    /**
     * Where the upload is.
     *
     * @return the state
     */
    public UploadState state() {
        return STATES[(int) numbers[0]];
    }

    /**
     * The size of the file.
     *
     * @return bytes; 0 before the run has opened it
     */
    public long size() {
        return numbers[1];
    }

    /**
     * What the server has confirmed to hold, from the start of the file.
     *
     * @return bytes
     */
    public long offset() {
        return numbers[2];
    }

    /**
     * What a progress bar shows: the confirmed bytes and those handed to the network since. It goes back when the
     * connection breaks.
     *
     * @return bytes, at most {@link #size()}
     */
    public long position() {
        return numbers[3];
    }

    /**
     * What this run has handed to the network, with what a break lost.
     *
     * @return bytes
     */
    public long bytesSent() {
        return numbers[4];
    }

    /**
     * What this run did not have to send, because the server had it.
     *
     * @return bytes
     */
    public long bytesSkipped() {
        return numbers[5];
    }

    /**
     * How fast it goes, over the last seconds.
     *
     * @return bytes per second; 0 while nothing is being sent
     */
    public long rate() {
        return numbers[6];
    }

    /**
     * The time left at this rate.
     *
     * @return empty where it cannot be told
     */
    public Optional<Duration> timeLeft() {
        return time(numbers[7]);
    }

    /**
     * How often this run began to ask the server for its offset.
     *
     * @return 1 without breaks and pauses, and one more after each
     */
    public int attempts() {
        return (int) numbers[8];
    }

    /**
     * The HTTP status of the server's last answer in this run.
     *
     * @return 0 when there was none
     */
    public int httpStatus() {
        return (int) numbers[9];
    }

    /**
     * The time left until the next attempt.
     *
     * @return empty but in {@link UploadState#WAITING}
     */
    public Optional<Duration> retryIn() {
        return time(numbers[10]);
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
