package io.resup;

import java.io.IOException;
import java.util.Optional;

/**
 * Thrown when an upload fails. The message names the cause, the value and what to do; it contains no secrets. The server
 * keeps what it has, and another run continues from there.
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

    /** Creates an exception for a failure that no server caused. */
    ResupException(ErrorCode code, String message, Throwable cause) {
        this(code, message, 0, null, false);
        initCause(cause);
    }

    /**
     * Returns the kind of failure.
     *
     * @return the code, never null
     */
    public ErrorCode code() {
        return code;
    }

    /**
     * Returns the HTTP status with which the server refused.
     *
     * @return 300 to 599; 0 when the server did not refuse
     */
    public int httpStatus() {
        return httpStatus;
    }

    /**
     * Returns the message for people that the server sent with its refusal.
     *
     * @return the message in the server's words; empty when there was none
     */
    public Optional<String> serverMessage() {
        return Optional.ofNullable(serverMessage);
    }

    /**
     * Returns whether the same upload may succeed when it is run again later, unchanged.
     *
     * @return false where something has to be changed first
     */
    public boolean isRetryable() {
        return retryable;
    }
}
