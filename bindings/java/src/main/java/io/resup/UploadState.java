package io.resup;

/** Where an upload is. */
public enum UploadState {
    /** Not started. */
    READY,
    /** Reading what the server already has, for the digest; or all of it, before it is sent. */
    HASHING,
    /** Asking the server what it has. */
    LOCATING,
    /** Sending. */
    SENDING,
    /** Everything is sent; the server is to confirm it. */
    VERIFYING,
    /** Waiting to try again after a break. */
    WAITING,
    /** Paused by the program. */
    PAUSED,
    /** The server has the whole file. */
    COMPLETE,
    /** Given up. */
    FAILED,
    /** Ended by the program. */
    CANCELLED;

    /**
     * Whether the run has ended in this state.
     *
     * @return true for {@link #COMPLETE}, {@link #FAILED} and {@link #CANCELLED}
     */
    public boolean isEnd() {
        return this == COMPLETE || this == FAILED || this == CANCELLED;
    }
}
