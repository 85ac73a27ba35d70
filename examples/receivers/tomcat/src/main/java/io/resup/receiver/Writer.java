package io.resup.receiver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;

/**
 * The writer of one request's bytes.
 *
 * <p>Two threads use it: the request's own, and that of a newer request that takes the upload over while the first one
 * waits for its client. So it may be stopped at any time between two chunks.
 */
final class Writer implements AutoCloseable {
    /** The longest time between two commits while bytes are received. */
    private static final long COMMIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Uploads uploads;
    private final long commitBytes;
    private final FileChannel channel;
    /** The upload and its digests at the start of this request. */
    private final Upload start;
    private final Digests startDigests;
    /** The upload as in the database. */
    private Upload upload;
    /** The digests of all bytes in the file. */
    private final Digests digests;
    /** The end of the written bytes in the file. */
    private long end;
    private long lastCommit = System.nanoTime();
    /** The refusal of further bytes; <code>null</code> while they are accepted. */
    private Refusal stopReason;

    Writer(Uploads uploads, Upload upload, Digests digests, long commitBytes) throws IOException {
        this.uploads = uploads;
        this.upload = upload;
        this.digests = digests;
        this.commitBytes = commitBytes;
        start = upload;
        startDigests = digests.copy();
        end = upload.offset();
        channel = uploads.store().openAt(upload.id(), end);
    }

    /** Writes the next bytes. */
    synchronized void write(ByteBuffer bytes) throws Refusal, IOException, SQLException {
        ensureOpen();
        digests.update(bytes);
        long length = bytes.remaining();
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException error) {
            // On a full disk the room of the unconfirmed bytes is needed, first of all by the database.
            end = upload.offset();
            channel.truncate(end);
            throw error;
        }
        end += length;
        if (end - upload.offset() >= commitBytes || System.nanoTime() - lastCommit >= COMMIT_NANOS) {
            commit();
        }
    }

    /** Stops the writer and commits the received bytes. Returns the upload. */
    synchronized Upload stop(Refusal reason) throws IOException, SQLException {
        if (stopReason == null) {
            stopReason = reason;
            try (channel) {
                commit();
            }
            uploads.cacheDigests(upload, digests);
        }
        return upload;
    }

    /** Checks the digests after the last byte, and saves the upload. Refuses when they do not match. */
    synchronized Upload finish(ExpectedDigests expected, Agreement agreement)
            throws Refusal, IOException, SQLException {
        ensureOpen();
        stopReason = new Refusal(423, "this upload's writer has ended");
        try (channel) {
            channel.force(false);
            boolean whole = end == start.file().size();
            if (expected.agree(start.file(), whole, digests)) {
                save(upload.withContent(whole ? Upload.State.COMPLETE : Upload.State.PARTIAL, end, digests));
                uploads.cacheDigests(upload, digests);
                return upload;
            }
            if (end == start.offset()) {
                // This send brought nothing, so the bytes from before are wrong.
                upload = uploads.reset(upload);
            } else {
                // The client sees by their digest whether the bytes from before are right.
                save(start.withContent(Upload.State.PARTIAL, start.offset(), startDigests));
                uploads.cacheDigests(upload, startDigests);
                channel.truncate(start.offset());
            }
        }
        throw new Refusal(new JsonResponse(422)
                .uploadStatus(upload, agreement)
                .prefix(upload, agreement)
                .error("digest")
                .message("the digest of what arrived is not the one that the client sent"));
    }

    /** Closes the file. Bytes that were not committed are lost. */
    @Override
    public synchronized void close() throws IOException {
        channel.close();
        if (stopReason == null) {
            stopReason = new Refusal(423, "this upload's writer has failed");
        }
    }

    /** Throws the refusal if the writer was stopped. */
    private void ensureOpen() throws Refusal {
        if (stopReason != null) {
            throw stopReason;
        }
    }

    /** Makes the written bytes durable, then their record. */
    private void commit() throws IOException, SQLException {
        if (end > upload.offset()) {
            channel.force(false);
            save(upload.withContent(Upload.State.PARTIAL, end, digests));
        }
        lastCommit = System.nanoTime();
    }

    private void save(Upload changed) throws SQLException {
        uploads.records().save(changed);
        upload = changed;
    }
}
