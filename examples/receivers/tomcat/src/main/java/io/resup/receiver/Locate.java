package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;

/** The locate request: what do you have of this file? */
final class Locate {
    private final Shelf shelf;
    private final Desk desk;
    private final long maxSegment;
    private final long maxSize;

    Locate(Shelf shelf, Desk desk, Settings settings) {
        this.shelf = shelf;
        this.desk = desk;
        maxSegment = settings.maxSegment();
        maxSize = settings.maxSize();
    }

    /** Answers a locate. */
    Answer answer(Gate gate, Fields fields) throws Refusal, IOException, SQLException, InterruptedException {
        gate.head(fields);
        String action = fields.required("action");
        if (action.equals("send")) {
            throw new Refusal(400, "action 'send' needs multipart/form-data");
        }
        if (!action.equals("locate")) {
            throw Refusal.ofField("action", action);
        }
        Identity file = new Identity(gate.owner(), fields.dir(), fields.name(), fields.bytes("size"),
                fields.mtime(), fields.digest("md5", 16));
        if (file.size() > maxSize) {
            throw new Refusal(413, "the file has " + file.size() + " bytes, the most that is taken is " + maxSize);
        }
        Upload upload = upload(file);
        Answer answer = Answer.of(upload).maxSegment(maxSegment);
        return "1".equals(fields.text("prefix")) ? answer.prefix(upload) : answer;
    }

    private Upload upload(Identity file) throws Refusal, IOException, SQLException, InterruptedException {
        Claim claim = desk.claim(findOrMake(file));
        try {
            Upload upload = shelf.current(file.owner(), claim.id());
            if (upload == null) {
                throw new SQLException("the record of upload " + claim.id() + " has vanished");
            }
            if (upload.state() == Upload.State.COMPLETE) {
                return upload;
            }
            if (upload.file().md5().isEmpty() && !file.md5().isEmpty()) {
                upload = upload.withMd5(file.md5());
                shelf.records().save(upload);
            }
            // The owner may have uploaded the same content before.
            boolean known = upload.held() == 0 && !upload.file().md5().isEmpty();
            return known ? shelf.finishInstantly(upload) : upload;
        } finally {
            desk.release(claim);
        }
    }

    private String findOrMake(Identity file) throws SQLException {
        Upload known = shelf.records().find(file);
        if (known != null) {
            return known.id();
        }
        Upload made = Upload.of(file);
        // Else a concurrent locate of the same file has made it.
        return shelf.records().insert(made) ? made.id() : shelf.records().find(file).id();
    }
}
