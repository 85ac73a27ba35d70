package io.resup;

/**
 * The causes of failure, grouped by what a program can do about them. The names and numbers are those of the C API and
 * never change. The project's {@code docs/ERRORS.md} says what to do about each.
 */
public enum ErrorCode {
    /**
     * A value is not valid: the name of a file, or a combination that only a run can check, for example fields that are
     * too long for a locate by GET.
     */
    ARGUMENT(15),
    /** The endpoint is not an http or https URL. */
    URL(16),
    /** The call is not allowed in the state of the upload. */
    STATE(18),
    /** There is no such file. Let the user choose again. */
    SOURCE_NOT_FOUND(30),
    /** The file may not be read. Let the user change its permissions. */
    SOURCE_DENIED(31),
    /** The path names a directory or a device instead of a regular file. */
    SOURCE_NOT_A_FILE(32),
    /** Reading failed; the message contains the system's reason. */
    SOURCE_IO(33),
    /** The file changed during the upload. Run again when nothing writes to it any more. */
    SOURCE_CHANGED(34),
    /** The host name was not found. Check the URL and the network, then run again. */
    RESOLVE(50),
    /** Connecting failed. Check the URL and the network, then run again. */
    CONNECT(51),
    /** The connection was lost, also in all further attempts. Run again later. */
    CONNECTION_LOST(52),
    /** A time limit passed, also in all further attempts. Run again later. */
    TIMEOUT(53),
    /** TLS failed, or the server's certificate is not trusted. Tell the user; do not continue. */
    TLS(54),
    /** The proxy refused. Check its URL, user and password. */
    PROXY(55),
    /** The server requires a login or forbids the upload (HTTP 401, 403), or the login failed. */
    NOT_ALLOWED(70),
    /** The file is larger than the server accepts (HTTP 413). */
    TOO_LARGE(71),
    /** Another client is writing this upload (HTTP 423), or uploads the same file. Run again later. */
    LOCKED(72),
    /** The server stayed busy (HTTP 429, 503). Run again later. */
    SERVER_BUSY(73),
    /** The server failed, also in all further attempts (HTTP 408, 500, 502, ...), or a login page hides it. */
    SERVER_FAILING(74),
    /** The server has no space (HTTP 507). Run again when it has. */
    NO_SPACE(75),
    /** The server refused for another reason: see the HTTP status and the message. */
    REFUSED(76),
    /** The response is not one of the protocol. Check the URL. */
    BAD_RESPONSE(90),
    /** The response is far too long. Check the URL. */
    RESPONSE_TOO_LONG(91),
    /** The server reported an impossible offset; nothing was sent there. Report it to the owner of the server. */
    BAD_OFFSET(92),
    /** The digest of the stored file differs from that of the sent file, twice in a row. */
    DIGEST(93),
    /** The server does not use the digest that the program asked for by name. */
    DIGEST_UNAVAILABLE(94),
    /** The upload was cancelled; the exception is an {@link UploadCancelledException}. */
    CANCELLED(110),
    /** The operating system refused a thread or random numbers. Run again with more resources. */
    SYSTEM(120),
    /** A defect of the library. Close the upload and report the message. */
    INTERNAL(121);

    private final int number;

    ErrorCode(int number) {
        this.number = number;
    }

    /**
     * Returns the code in the C API.
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
