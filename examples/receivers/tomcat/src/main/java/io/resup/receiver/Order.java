package io.resup.receiver;

import java.sql.SQLException;

/**
 * What the fields before the file say.
 *
 * @param id of the upload
 * @param name of the file
 * @param size of the whole file
 * @param offset where these bytes begin
 * @param length how many they are
 * @param restart MD5 of what is held and is to be dropped: it is of another file, or damaged; else empty
 */
record Order(String id, String name, long size, long offset, long length, String restart) {
    /** Reads the form up to the beginning of the file. */
    static Order read(Multipart form, Gate gate) throws Refusal, SQLException {
        Fields fields = new Fields();
        for (String name = form.next(); !"file".equals(name); name = form.next()) {
            if (name == null) {
                throw new Refusal(400, "the part 'file' is missing");
            }
            fields.add(name, form.value(name));
        }
        gate.head(fields);
        String action = fields.required("action");
        if (!action.equals("send")) {
            throw Refusal.ofField("action", action);
        }
        Order order = new Order(fields.required("id"), fields.name(), fields.bytes("size"),
                fields.bytes("offset"), fields.bytes("length"), fields.digest("restart", 16));
        if (!order.restart.isEmpty() && order.offset != 0) {
            throw new Refusal(400, "'restart' goes with offset 0, not " + order.offset);
        }
        if (order.offset > order.size || order.length > order.size - order.offset) {
            throw new Refusal(400, "offset " + order.offset + " and length " + order.length
                    + " go past the size " + order.size);
        }
        return order;
    }

    /** Whether it drops what is held. A late one does not: the digest is another by then. */
    boolean restarts(Upload upload) {
        return !restart.isEmpty() && restart.equals(upload.heldMd5());
    }

    /** Refuses what does not fit the upload as it stands. */
    void check(Upload upload, long maxSegment) throws Refusal {
        Identity file = upload.file();
        if (!name.equals(file.name()) || size != file.size()) {
            throw new Refusal(409, "upload " + upload.id() + " is of '" + file.name() + "' with " + file.size()
                    + " bytes, not of '" + name + "' with " + size);
        }
        if (maxSegment > 0 && length > maxSegment) {
            String message = "length " + length + " is more than one send may carry, " + maxSegment;
            throw new Refusal(new Answer(413).maxSegment(maxSegment).message(message).leavingBody());
        }
        boolean misplaced = offset != upload.held() && !restarts(upload);
        if (upload.state() != Upload.State.COMPLETE && misplaced) {
            throw conflict(upload, "offset " + offset + " is not where this upload stands, " + upload.held());
        }
    }

    /** The refusal that tells where the upload stands. */
    static Refusal conflict(Upload upload, String message) {
        return new Refusal(new Answer(409).standing(upload).prefix(upload).message(message).leavingBody());
    }
}
