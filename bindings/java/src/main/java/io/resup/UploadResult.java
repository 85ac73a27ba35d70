package io.resup;

import java.util.Optional;

/** The result of a complete upload: the server has confirmed the whole file. */
public final class UploadResult {
    private final UploadProgress numbers;
    private final String protocol;
    private final String id;
    private final String location;
    private final DigestAlgorithm digestAlgorithm;
    private final String digest;
    private final String md5;
    private final String serverMessage;

    UploadResult(NativeUpload upload) {
        numbers = upload.progress();
        protocol = upload.protocol();
        id = upload.id();
        location = upload.location();
        digestAlgorithm = upload.digestAlgorithm();
        digest = upload.digest();
        md5 = upload.md5();
        serverMessage = upload.serverMessage();
    }

    /**
     * Returns the protocol or dialect that the server has answered in.
     *
     * @return its name, such as {@code tus} or {@code plain}
     */
    public String protocol() {
        return protocol;
    }

    /**
     * Returns the server's id of the upload.
     *
     * @return empty where the server sent none
     */
    public Optional<String> id() {
        return Optional.ofNullable(id);
    }

    /**
     * Returns where the finished file is.
     *
     * @return what the server sent, mostly a path or a URL; empty where it sent nothing
     */
    public Optional<String> location() {
        return Optional.ofNullable(location);
    }

    /**
     * Returns the algorithm of the digest.
     *
     * @return the one that the server has agreed to; empty where no digest is computed
     */
    public Optional<DigestAlgorithm> digestAlgorithm() {
        return Optional.of(digestAlgorithm).filter(algorithm -> algorithm != DigestAlgorithm.AUTOMATIC);
    }

    /**
     * Returns the digest of the whole file. The server has compared it, if its protocol is {@code form}.
     *
     * @return lower-case hex; empty when the file was not read whole, as with {@link Digest#NONE}
     */
    public Optional<String> digest() {
        return Optional.ofNullable(digest);
    }

    /**
     * Returns the digest of the whole file where that is an MD5.
     *
     * @return lower-case hex; empty where {@link #digest()} is, and with another algorithm
     */
    public Optional<String> md5() {
        return Optional.ofNullable(md5);
    }

    /**
     * Returns the server's message for people.
     *
     * @return empty where the server sent none
     */
    public Optional<String> serverMessage() {
        return Optional.ofNullable(serverMessage);
    }

    /**
     * Returns the size of the file.
     *
     * @return bytes
     */
    public long size() {
        return numbers.size();
    }

    /**
     * Returns how many bytes this run wrote to the network, including those lost with a connection.
     *
     * @return bytes
     */
    public long bytesSent() {
        return numbers.bytesSent();
    }

    /**
     * Returns how many bytes this run did not have to send, because the server had them.
     *
     * @return bytes
     */
    public long bytesSkipped() {
        return numbers.bytesSkipped();
    }

    /**
     * Returns how often this run asked the server for its offset.
     *
     * @return 1, and one more after each lost connection and each pause
     */
    public int attempts() {
        return numbers.attempts();
    }

    @Override
    public String toString() {
        return "complete, " + size() + " bytes, id=" + id;
    }
}
