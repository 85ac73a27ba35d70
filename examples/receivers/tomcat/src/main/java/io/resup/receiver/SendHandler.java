package io.resup.receiver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.SQLException;

/** The handler of send requests: a client sends the next bytes of a file. */
final class SendHandler {
    private final Uploads uploads;
    private final Locks locks;
    private final Limits limits;

    SendHandler(Uploads uploads, Locks locks, Limits limits) {
        this.uploads = uploads;
        this.locks = locks;
        this.limits = limits;
    }

    /** Answers a send whose fields before the file are read and checked. */
    JsonResponse handle(Access access, Multipart form, Fields fields)
            throws Refusal, IOException, SQLException, InterruptedException {
        SendRequest request = SendRequest.read(fields);
        // Before the lock: it would reveal another owner's upload, and delay it.
        if (uploads.records().find(access.owner(), request.id()) == null) {
            throw Refusal.unknown(request.id());
        }
        Lock lock = locks.acquire(request.id());
        try {
            return handle(access, form, request, lock);
        } finally {
            locks.release(lock);
        }
    }

    /** Answers a send whose upload is locked. */
    private JsonResponse handle(Access access, Multipart form, SendRequest request, Lock lock)
            throws Refusal, IOException, SQLException {
        Upload upload = uploads.load(access.owner(), request.id());
        if (upload == null) {
            throw Refusal.unknown(request.id());
        }
        request.check(upload, limits);
        if (request.isRestart(upload)) {
            upload = uploads.reset(upload);
        } else if (upload.state() == Upload.State.COMPLETE) {
            return response(upload, request).closeConnection();
        }
        Digests digests = uploads.digests(upload);
        if (digests == null) {
            throw request.conflict(uploads.reset(upload),
                    "what was held of this upload is damaged: it starts afresh", limits);
        }
        try (Writer writer = new Writer(uploads, upload, digests, limits.commitBytes())) {
            lock.setWriter(writer);
            ExpectedDigests expected = receive(access, form, request, lock, writer);
            return response(writer.finish(expected, request.agreement()), request);
        }
    }

    private JsonResponse response(Upload upload, SendRequest request) {
        return JsonResponse.of(upload, request.agreement())
                .prefix(upload, request.agreement())
                .limits(limits, request.agreement());
    }

    /** Writes the file's bytes. Returns the digests that come after them. */
    private static ExpectedDigests receive(
            Access access, Multipart form, SendRequest request, Lock lock, Writer writer)
            throws Refusal, IOException, SQLException {
        try {
            lock.startWait();
            long left = request.length();
            for (ByteBuffer chunk = form.nextChunk(); chunk != null; chunk = form.nextChunk()) {
                lock.endWait();
                boolean excess = chunk.remaining() > left;
                if (excess) {
                    chunk.limit(chunk.position() + (int) left);
                }
                left -= chunk.remaining();
                writer.write(chunk);
                if (excess) {
                    throw new Refusal(400, "the part 'file' has more bytes than 'length' says, " + request.length());
                }
                lock.startWait();
            }
            if (left > 0) {
                throw new Refusal(400, "the part 'file' has " + left + " bytes less than 'length' says");
            }
            Fields fields = form.readTail();
            lock.endWait();
            access.checkTail(fields);
            return ExpectedDigests.of(fields);
        } catch (Refusal refusal) {
            Upload upload = writer.stop(refusal);
            refusal.response().uploadStatus(upload, request.agreement()).prefix(upload, request.agreement());
            throw refusal;
        }
    }
}
