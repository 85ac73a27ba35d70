package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;

/** The handler of discard requests: a client takes an unfinished upload back. */
final class DiscardHandler {
    private final Uploads uploads;
    private final Locks locks;

    DiscardHandler(Uploads uploads, Locks locks) {
        this.uploads = uploads;
        this.locks = locks;
    }

    /** Answers a discard. */
    JsonResponse handle(Access access, Fields fields)
            throws Refusal, IOException, SQLException, InterruptedException {
        access.checkHead(fields);
        Upload found = find(Identity.read(access.owner(), fields), fields.textOrEmpty("id"));
        if (found == null) {
            return JsonResponse.ofNothing();
        }
        Lock lock = locks.acquire(found.id());
        try {
            Upload upload = uploads.load(access.owner(), found.id());
            if (upload != null && upload.state() == Upload.State.COMPLETE) {
                throw new Refusal(409, "the upload is finished, and a finished file is not discarded");
            }
            if (upload != null) {
                uploads.delete(upload);
            }
            return JsonResponse.ofNothing();
        } finally {
            locks.release(lock);
        }
    }

    /** Finds the upload with this id, if there is one, or else the file's; <code>null</code> when it is of another file. */
    private Upload find(Identity file, String id) throws SQLException {
        Upload upload = id.isEmpty() ? uploads.records().find(file) : uploads.records().find(file.owner(), id);
        return upload != null && upload.file().key().equals(file.key()) ? upload : null;
    }
}
