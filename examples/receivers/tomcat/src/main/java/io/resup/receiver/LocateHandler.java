package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;

/** The handler of locate requests: a client asks which bytes of a file the receiver has. */
final class LocateHandler {
    private final Uploads uploads;
    private final Locks locks;
    private final long maxSegment;
    private final long maxSize;

    LocateHandler(Uploads uploads, Locks locks, Settings settings) {
        this.uploads = uploads;
        this.locks = locks;
        maxSegment = settings.maxSegment();
        maxSize = settings.maxSize();
    }

    /** Answers a locate. */
    JsonResponse handle(Access access, Fields fields)
            throws Refusal, IOException, SQLException, InterruptedException {
        access.checkHead(fields);
        String action = fields.required("action");
        if (action.equals("send")) {
            throw new Refusal(400, "action 'send' needs multipart/form-data");
        }
        if (!action.equals("locate")) {
            throw Refusal.ofField("action", action);
        }
        Identity file = new Identity(access.owner(), fields.dir(), fields.name(), fields.bytes("size"),
                fields.mtime(), fields.digest("md5", 16));
        if (file.size() > maxSize) {
            throw new Refusal(413, "the file has " + file.size() + " bytes, the most that is taken is " + maxSize);
        }
        Upload upload = locate(file, fields.digest("sha256", 32));
        JsonResponse response = JsonResponse.of(upload).maxSegment(maxSegment);
        return "1".equals(fields.text("prefix")) ? response.prefixMd5(upload) : response;
    }

    /**
     * Finds the upload of a file, or makes one. Completes it if the content is here already, with this SHA-256 if the
     * client knows it.
     */
    private Upload locate(Identity file, String sha256)
            throws Refusal, IOException, SQLException, InterruptedException {
        Lock lock = locks.acquire(findOrMake(file));
        try {
            Upload upload = uploads.load(file.owner(), lock.id());
            if (upload == null) {
                throw new SQLException("the record of upload " + lock.id() + " has vanished");
            }
            if (upload.state() == Upload.State.COMPLETE) {
                return upload;
            }
            if (upload.file().md5().isEmpty() && !file.md5().isEmpty()) {
                upload = upload.withMd5(file.md5());
                uploads.records().save(upload);
            }
            // The owner may have uploaded the same content before.
            boolean instant = upload.offset() == 0 && !upload.file().md5().isEmpty();
            return instant ? uploads.completeInstantly(upload, sha256) : upload;
        } finally {
            locks.release(lock);
        }
    }

    /** Returns the id of the file's upload. */
    private String findOrMake(Identity file) throws SQLException {
        Upload known = uploads.records().find(file);
        if (known != null) {
            return known.id();
        }
        Upload upload = Upload.of(file);
        // Without success, a concurrent locate of the same file has inserted it.
        return uploads.records().insert(upload) ? upload.id() : uploads.records().find(file).id();
    }
}
