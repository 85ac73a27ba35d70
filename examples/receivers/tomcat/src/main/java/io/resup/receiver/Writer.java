package io.resup.receiver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;

/**
 * Writes one request's bytes, and decides when they end.
 *
 * <p>Two threads meet here: the request's own, and that of a newer request which takes over while the first one waits
 * in vain for its client. So the writer may be stopped at any time between two chunks.
 */
final class Writer implements AutoCloseable {
    /** The longest that received bytes stay unconfirmed while more come. */
    private static final long COMMIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Shelf shelf;
    private final long commitBytes;
    private final FileChannel channel;
    /** The upload and its digests as this request found them. */
    private final Upload begin;
    private final Digests beginDigests;
    /** The upload as the database has it. */
    private Upload upload;
    /** Of everything written. */
    private final Digests digests;
    private long written;
    private long committed = System.nanoTime();
    /** Why no more is taken; <code>null</code> while it is. */
    private Refusal stopped;

    Writer(Shelf shelf, Upload upload, Digests digests, long commitBytes) throws IOException {
        this.shelf = shelf;
        this.upload = upload;
        this.digests = digests;
        this.commitBytes = commitBytes;
        begin = upload;
        beginDigests = digests.copy();
        written = upload.held();
        channel = shelf.store().writeFrom(upload.id(), written);
    }

    /** Writes the next bytes. */
    synchronized void write(ByteBuffer bytes) throws Refusal, IOException, SQLException {
        check();
        digests.update(bytes);
        long length = bytes.remaining();
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException error) {
            // A full disk needs the unconfirmed bytes' room, the database first of all.
            written = upload.held();
            channel.truncate(written);
            throw error;
        }
        written += length;
        if (written - upload.held() >= commitBytes || System.nanoTime() - committed >= COMMIT_NANOS) {
            commit();
        }
    }

    /** No more will come: keep what came, and say how the upload stands. */
    synchronized Upload stop(Refusal why) throws IOException, SQLException {
        if (stopped == null) {
            stopped = why;
            try (channel) {
                commit();
            }
            shelf.remember(upload, digests);
        }
        return upload;
    }

    /** All has come: judge it. Says how the upload stands, or that the digests do not agree. */
    synchronized Upload finish(Tail tail) throws Refusal, IOException, SQLException {
        check();
        stopped = new Refusal(423, "this upload's writer has ended");
        try (channel) {
            channel.force(false);
            boolean whole = written == begin.file().size();
            if (tail.agrees(begin.file(), whole, digests)) {
                save(upload.holding(whole ? Upload.State.COMPLETE : Upload.State.PARTIAL, written, digests));
                shelf.remember(upload, digests);
                return upload;
            }
            if (whole) {
                // Nobody knows which of the bytes are wrong.
                upload = shelf.reset(upload);
            } else {
                save(begin.holding(Upload.State.PARTIAL, begin.held(), beginDigests));
                shelf.remember(upload, beginDigests);
                channel.truncate(begin.held());
            }
        }
        throw new Refusal(new Answer(422)
                .standing(upload)
                .prefix(upload)
                .error("digest")
                .message("the digest of what arrived is not the one that the client sent"));
    }

    /** Closes the file; what was not committed is lost. */
    @Override
    public synchronized void close() throws IOException {
        channel.close();
        if (stopped == null) {
            stopped = new Refusal(423, "this upload's writer has failed");
        }
    }

    private void check() throws Refusal {
        if (stopped != null) {
            throw stopped;
        }
    }

    private void commit() throws IOException, SQLException {
        if (written > upload.held()) {
            channel.force(false);
            save(upload.holding(Upload.State.PARTIAL, written, digests));
        }
        committed = System.nanoTime();
    }

    private void save(Upload now) throws SQLException {
        shelf.records().save(now);
        upload = now;
    }
}
