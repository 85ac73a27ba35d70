package io.resup;

/** The state of an upload. */
public enum UploadState {
    /** Not started. */
    READY(1),
    /** Reading what the server already has, or the whole file before it is sent, to compute the digest. */
    HASHING(2),
    /** Asking the server for its offset. */
    LOCATING(3),
    /** Sending the rest of the file. */
    SENDING(4),
    /** Everything is sent; waiting for the server to confirm it. */
    VERIFYING(5),
    /** Waiting before the next attempt; {@link ResumableUpload#failure()} says why. */
    WAITING(6),
    /** Paused by the program. */
    PAUSED(7),
    /** The server has the whole file. */
    COMPLETE(8),
    /** The run failed. */
    FAILED(9),
    /** Cancelled by the program. */
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
     * Returns whether a run has ended in this state.
     *
     * @return true for {@link #COMPLETE}, {@link #FAILED} and {@link #CANCELLED}
     */
    public boolean isEnd() {
        return this == COMPLETE || this == FAILED || this == CANCELLED;
    }
}
