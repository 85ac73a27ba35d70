package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;

/** The handler of locate requests: a client asks which bytes of a file the receiver has. */
final class LocateHandler {
    private final Uploads uploads;
    private final Locks locks;
    private final Limits limits;

    LocateHandler(Uploads uploads, Locks locks, Limits limits) {
        this.uploads = uploads;
        this.locks = locks;
        this.limits = limits;
    }

    /** Answers a locate. */
    JsonResponse handle(Access access, Fields fields)
            throws Refusal, IOException, SQLException, InterruptedException {
        access.checkHead(fields);
        String action = fields.required("action");
        if (action.equals("send") || action.equals("store")) {
            throw new Refusal(400, "action '" + action + "' needs multipart/form-data");
        }
        if (!action.equals("locate")) {
            throw Refusal.ofField("action", action);
        }
        Agreement agreement = Agreement.choose(fields);
        Identity file = Identity.read(access.owner(), fields, agreement);
        if ("1".equals(fields.text("discard"))) {
            Upload found = uploads.records().find(file);
            return (found == null ? JsonResponse.ofNothing() : JsonResponse.of(found, agreement)).discard();
        }
        if (file.size() > limits.maxSize()) {
            throw new Refusal(413,
                    "the file has " + file.size() + " bytes, the most that is taken is " + limits.maxSize());
        }
        Upload upload = locate(file, KnownDigests.read(fields, ""));
        JsonResponse response = JsonResponse.of(upload, agreement).limits(limits, agreement);
        return "1".equals(fields.text("prefix")) ? response.prefix(upload, agreement) : response;
    }

    /**
     * Finds the upload of a file, or makes one. Completes it if the content is here already, with all digests that the
     * client knows.
     */
    private Upload locate(Identity file, KnownDigests digests)
            throws Refusal, IOException, SQLException, InterruptedException {
        Lock lock = locks.acquire(uploads.findOrMake(file));
        try {
            Upload upload = uploads.load(file.owner(), lock.id());
            if (upload == null) {
                throw new SQLException("the record of upload " + lock.id() + " has vanished");
            }
            if (upload.state() == Upload.State.COMPLETE) {
                return upload;
            }
            KnownDigests known = upload.file().digests().or(file.digests());
            if (!known.equals(upload.file().digests())) {
                upload = upload.withDigests(known);
                uploads.records().save(upload);
            }
            // The owner may have uploaded the same content before.
            boolean instant = upload.offset() == 0 && !known.isEmpty();
            return instant ? uploads.completeInstantly(upload, digests) : upload;
        } finally {
            locks.release(lock);
        }
    }
}
