package io.resup.receiver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.SQLException;

/** The handler of store requests: a client sends a small file in one request, without a locate. */
final class StoreHandler {
    private final Uploads uploads;
    private final Locks locks;
    private final Limits limits;

    StoreHandler(Uploads uploads, Locks locks, Limits limits) {
        this.uploads = uploads;
        this.locks = locks;
        this.limits = limits;
    }

    /** Answers a store whose fields before the file are read and checked. */
    JsonResponse handle(Access access, Multipart form, Fields fields)
            throws Refusal, IOException, SQLException, InterruptedException {
        Agreement agreement = Agreement.read(fields);
        Identity file = Identity.read(access.owner(), fields, agreement);
        if (!agreement.isNamed() || file.digests().get(agreement.digest()).isEmpty()) {
            throw new Refusal(400, "a store needs the field 'digest', and that digest of the whole file");
        }
        if (file.size() > limits.small()) {
            throw new Refusal(413, "a file of more than " + limits.small() + " bytes comes by send");
        }
        Upload known = uploads.records().find(file);
        if (known != null) {
            Upload upload = load(known);
            if (!upload.isEmpty()) {
                return response(upload, agreement).closeConnection();
            }
        }
        ByteBuffer content = readContent(access, form, file);
        Lock lock = locks.acquire(uploads.findOrMake(file));
        try {
            Upload upload = uploads.load(file.owner(), lock.id());
            // Another request may have brought something meanwhile.
            return response(upload.isEmpty() ? write(upload, content, file, agreement) : upload, agreement);
        } finally {
            locks.release(lock);
        }
    }

    private Upload load(Upload known) throws Refusal, IOException, SQLException, InterruptedException {
        Lock lock = locks.acquire(known.id());
        try {
            return uploads.load(known.file().owner(), known.id());
        } finally {
            locks.release(lock);
        }
    }

    private JsonResponse response(Upload upload, Agreement agreement) {
        return JsonResponse.of(upload, agreement).prefix(upload, agreement).limits(limits, agreement);
    }

    /**
     * Reads the rest of the form. Nothing is kept of a store that is wrong or cut, not even that there is such a file.
     */
    private static ByteBuffer readContent(Access access, Multipart form, Identity file) throws Refusal {
        ByteBuffer content = ByteBuffer.allocate((int) file.size());
        for (ByteBuffer chunk = form.nextChunk(); chunk != null; chunk = form.nextChunk()) {
            if (chunk.remaining() > content.remaining()) {
                throw new Refusal(400, "the part 'file' has more bytes than 'size' says, " + file.size());
            }
            content.put(chunk);
        }
        if (content.hasRemaining()) {
            throw new Refusal(400,
                    "the part 'file' has " + content.remaining() + " bytes less than 'size' says");
        }
        access.checkTail(form.readTail());
        Digests digests = new Digests();
        digests.update(content.flip());
        if (!file.digests().agrees(digests.known())) {
            throw new Refusal(new JsonResponse(422)
                    .error("digest")
                    .message("the digest of what arrived is not the one that the client sent"));
        }
        return content;
    }

    private Upload write(Upload upload, ByteBuffer content, Identity file, Agreement agreement)
            throws Refusal, IOException, SQLException {
        try (Writer writer = new Writer(uploads, upload, new Digests(), limits.commitBytes())) {
            writer.write(content);
            return writer.finish(new ExpectedDigests(file.digests(), KnownDigests.NONE), agreement);
        }
    }
}
