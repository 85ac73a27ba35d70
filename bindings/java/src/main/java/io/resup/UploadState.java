package io.resup;

/** Where an upload is. */
public enum UploadState {
    /** Not started. */
    READY(1),
    /** Reading what the server already has, for the digest; or all of it, before it is sent. */
    HASHING(2),
    /** Asking the server what it has. */
    LOCATING(3),
    /** Sending. */
    SENDING(4),
    /** Everything is sent; the server is to confirm it. */
    VERIFYING(5),
    /** Waiting to try again after a break. */
    WAITING(6),
    /** Paused by the program. */
    PAUSED(7),
    /** The server has the whole file. */
    COMPLETE(8),
    /** Given up. */
    FAILED(9),
    /** Ended by the program. */
    CANCELLED(10);

    /** The code in the C API. */
    final int code;

    UploadState(int code) {
        this.code = code;
    }

    static UploadState of(int code) {
        return Codes.find("UploadState", values(), constant -> constant.code, code);
    }

    /**
     * Whether the run has ended in this state.
     *
     * @return true for {@link #COMPLETE}, {@link #FAILED} and {@link #CANCELLED}
     */
    public boolean isEnd() {
        return this == COMPLETE || this == FAILED || this == CANCELLED;
    }
}
