package io.resup.receiver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.SQLException;

/** The handler of send requests: a client sends the next bytes of a file. */
final class SendHandler {
    private final Uploads uploads;
    private final Locks locks;
    private final long maxSegment;
    private final long commitBytes;

    SendHandler(Uploads uploads, Locks locks, Settings settings) {
        this.uploads = uploads;
        this.locks = locks;
        maxSegment = settings.maxSegment();
        commitBytes = settings.commitBytes();
    }

    /** Answers a send. */
    JsonResponse handle(Access access, Multipart form)
            throws Refusal, IOException, SQLException, InterruptedException {
        SendRequest request = SendRequest.read(form, access);
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
        request.check(upload, maxSegment);
        if (request.isRestart(upload)) {
            upload = uploads.reset(upload);
        } else if (upload.state() == Upload.State.COMPLETE) {
            return JsonResponse.of(upload).prefixMd5(upload).closeConnection();
        }
        Digests digests = uploads.digests(upload);
        if (digests == null) {
            throw SendRequest.conflict(uploads.reset(upload),
                    "what was held of this upload is damaged: it starts afresh");
        }
        try (Writer writer = new Writer(uploads, upload, digests, commitBytes)) {
            lock.setWriter(writer);
            Upload result = writer.finish(receive(access, form, request, lock, writer));
            return JsonResponse.of(result).prefixMd5(result).maxSegment(maxSegment);
        }
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
            Fields fields = new Fields();
            for (String name = form.nextPart(); name != null; name = form.nextPart()) {
                if (name.equals("file")) {
                    throw new Refusal(400, "the form has a second part 'file'");
                }
                fields.add(name, form.readValue(name));
            }
            lock.endWait();
            access.checkTail(fields);
            return ExpectedDigests.of(fields);
        } catch (Refusal refusal) {
            Upload upload = writer.stop(refusal);
            refusal.response().uploadStatus(upload).prefixMd5(upload);
            throw refusal;
        }
    }
}
