package io.resup;

import java.util.Optional;

/** What came of an upload that is complete: the server has confirmed the whole file. */
public final class UploadResult {
    private final UploadProgress numbers;
    private final String id;
    private final String location;
    private final String md5;
    private final String serverMessage;

    UploadResult(NativeUpload upload) {
        numbers = upload.progress();
        id = upload.id();
        location = upload.location();
        md5 = upload.md5();
        serverMessage = upload.serverMessage();
    }

    /**
     * The server's own key of the upload.
     *
     * @return empty where the server told none
     */
    public Optional<String> id() {
        return Optional.ofNullable(id);
    }

    /**
     * Where the finished file is to be found.
     *
     * @return the server's words, mostly a path or an address; empty where it told none
     */
    public Optional<String> location() {
        return Optional.ofNullable(location);
    }

    /**
     * The MD5 of the whole file, which the server has compared.
     *
     * @return lower-case hex; empty when the file was not read whole, so with {@link Digest#NONE}
     */
    public Optional<String> md5() {
        return Optional.ofNullable(md5);
    }

    /**
     * What the server said for a person to read.
     *
     * @return empty where it said nothing
     */
    public Optional<String> serverMessage() {
        return Optional.ofNullable(serverMessage);
    }

    /**
     * The size of the file.
     *
     * @return bytes
     */
    public long size() {
        return numbers.size();
    }

    /**
     * What this run handed to the network, with what breaks lost.
     *
     * @return bytes
     */
    public long bytesSent() {
        return numbers.bytesSent();
    }

    /**
     * What this run did not have to send, because the server had it.
     *
     * @return bytes
     */
    public long bytesSkipped() {
        return numbers.bytesSkipped();
    }

    /**
     * How often this run asked the server for its offset.
     *
     * @return 1 without breaks and pauses, and one more after each
     */
    public int attempts() {
        return numbers.attempts();
    }

    @Override
    public String toString() {
        return "complete, " + size() + " bytes, id=" + id;
    }
}
