package io.resup;

import java.io.IOException;
import java.util.Optional;

/**
 * Why an upload failed. Its message names the thing, the value and the way out; it has no secrets in it. What the
 * server has is kept there, and another run goes on from it.
 */
public class ResupException extends IOException {
    private static final long serialVersionUID = 1;

    /** The code. */
    private final ErrorCode code;
    /** The HTTP status, or 0. */
    private final int httpStatus;
    /** The server's message, or null. */
    private final String serverMessage;
    /** Whether another run may succeed. */
    private final boolean retryable;

    ResupException(ErrorCode code, String message, int httpStatus, String serverMessage, boolean retryable) {
        super(message);
        this.code = code;
        this.httpStatus = httpStatus;
        this.serverMessage = serverMessage;
        this.retryable = retryable;
    }

    /** One that has come to nothing on this side. */
    ResupException(ErrorCode code, String message, Throwable cause) {
        this(code, message, 0, null, false);
        initCause(cause);
    }

    /**
     * What kind of failure it is.
     *
     * @return the code, never null
     */
    public ErrorCode code() {
        return code;
    }

    /**
     * The HTTP status of the server's refusal.
     *
     * @return 300 to 599, or 0 when the failure is none of the server's
     */
    public int httpStatus() {
        return httpStatus;
    }

    /**
     * What the server said for a person to read, where its refusal had such a message.
     *
     * @return the message of the server, in its words
     */
    public Optional<String> serverMessage() {
        return Optional.ofNullable(serverMessage);
    }

    /**
     * Whether the same upload may succeed when it is run again, later and unchanged.
     *
     * @return false where something has to be changed first
     */
    public boolean isRetryable() {
        return retryable;
    }
}
