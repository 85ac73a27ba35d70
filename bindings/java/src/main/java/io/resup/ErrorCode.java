package io.resup;

/**
 * Why an upload failed, grouped by what a program can do about it. The names and numbers are those of the C API, and
 * never change; what to do about each is told in the project's {@code docs/ERRORS.md}.
 */
public enum ErrorCode {
    /**
     * A value cannot be used: a file's name, or what only a run can tell, for example fields that are too long for a
     * locate by GET.
     */
    ARGUMENT(15),
    /** The server's address is no http or https URL. */
    URL(16),
    /** The call does not fit the upload's state. */
    STATE(18),
    /** There is no such file. Let the user choose again. */
    SOURCE_NOT_FOUND(30),
    /** The file may not be read. Let the user see to its permissions. */
    SOURCE_DENIED(31),
    /** The path names a directory or device, no regular file. */
    SOURCE_NOT_A_FILE(32),
    /** Reading failed; the message has the system's reason. */
    SOURCE_IO(33),
    /** The file changed while it was being uploaded. Run again when it is at rest. */
    SOURCE_CHANGED(34),
    /** The server's name was not found. Check the address and the network, run again. */
    RESOLVE(50),
    /** No connection came about. Check the address and the network, run again. */
    CONNECT(51),
    /** The connection broke, or the answer was cut, again and again. Run again later. */
    CONNECTION_LOST(52),
    /** A time limit passed again and again. Run again later. */
    TIMEOUT(53),
    /** TLS failed, or the server's certificate is not trusted. Tell the user; do not go on. */
    TLS(54),
    /** The proxy refuses. Check its address, its user and password. */
    PROXY(55),
    /** The server wants a login, or does not allow this (HTTP 401, 403). */
    NOT_ALLOWED(70),
    /** The file is more than the server takes (HTTP 413). */
    TOO_LARGE(71),
    /** Another client keeps writing this upload (HTTP 423). Run again later. */
    LOCKED(72),
    /** The server keeps being busy (HTTP 429, 503). Run again later. */
    SERVER_BUSY(73),
    /** The server keeps failing (HTTP 408, 417, 500, 502, 504). Run again later. */
    SERVER_FAILING(74),
    /** The server has no room (HTTP 507). Run again when it has. */
    NO_SPACE(75),
    /** The server refused for another reason: see the HTTP status and the message. */
    REFUSED(76),
    /** The server's answer is not of the protocol. Is the URL right? */
    BAD_RESPONSE(90),
    /** The server's answer is far too long. Is the URL right? */
    RESPONSE_TOO_LONG(91),
    /** The server claims an offset that cannot be; nothing was sent on it. Report it to its owner. */
    BAD_OFFSET(92),
    /** What the server stored is not what was sent, twice in a row. */
    DIGEST(93),
    /** The upload was cancelled; the exception is an {@link UploadCancelledException}. */
    CANCELLED(110),
    /** The operating system refused a thread or random numbers. Run again with more resources. */
    SYSTEM(120),
    /** A defect in the library was caught. Close the upload; report the message. */
    INTERNAL(121);

    private final int number;

    ErrorCode(int number) {
        this.number = number;
    }

    /**
     * The number that C programs see.
     *
     * @return for example 30 for {@code RESUP_E_SOURCE_NOT_FOUND}
     */
    public int number() {
        return number;
    }

    static ErrorCode of(int number) {
        return Codes.find("ErrorCode", values(), ErrorCode::number, number);
    }
}
