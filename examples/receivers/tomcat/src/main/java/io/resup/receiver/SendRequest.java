package io.resup.receiver;

/**
 * The fields of a send before the file.
 *
 * @param id the id of the upload
 * @param name the name of the file
 * @param size the size of the whole file
 * @param offset the offset of these bytes in the file
 * @param length the number of these bytes
 * @param agreement the digest that the client uses
 * @param restart this digest of the stored bytes if they are to be dropped, since they are of another file or damaged;
 *     else empty
 */
record SendRequest(
        String id, String name, long size, long offset, long length, Agreement agreement, String restart) {
    /** Reads the fields. */
    static SendRequest read(Fields fields) throws Refusal {
        Agreement agreement = Agreement.read(fields);
        SendRequest request = new SendRequest(fields.required("id"), fields.name(), fields.bytes("size"),
                fields.bytes("offset"), fields.bytes("length"), agreement,
                fields.digest("restart", agreement.digest().length()));
        if (!request.restart.isEmpty() && request.offset != 0) {
            throw new Refusal(400, "'restart' goes with offset 0, not " + request.offset);
        }
        if (request.offset > request.size || request.length > request.size - request.offset) {
            throw new Refusal(400, "offset " + request.offset + " and length " + request.length
                    + " go past the size " + request.size);
        }
        return request;
    }

    /** Tells whether it drops the stored bytes. A late one does not: their digest is another by then. */
    boolean isRestart(Upload upload) {
        return !restart.isEmpty() && restart.equals(upload.held().get(agreement.digest()));
    }

    /** Refuses a send that does not fit the upload. */
    void check(Upload upload, Limits limits) throws Refusal {
        long maxSegment = limits.maxSegment();
        Identity file = upload.file();
        if (!name.equals(file.name()) || size != file.size()) {
            throw new Refusal(409, "upload " + upload.id() + " is of '" + file.name() + "' with " + file.size()
                    + " bytes, not of '" + name + "' with " + size);
        }
        if (maxSegment > 0 && length > maxSegment) {
            String message = "length " + length + " is more than one send may carry, " + maxSegment;
            throw new Refusal(new JsonResponse(413).maxSegment(maxSegment).message(message).closeConnection());
        }
        boolean wrongOffset = offset != upload.offset() && !isRestart(upload);
        if (upload.state() != Upload.State.COMPLETE && wrongOffset) {
            String message = "offset " + offset + " is not where this upload stands, " + upload.offset();
            throw conflict(upload, message, limits);
        }
    }

    /** Makes the refusal with the status of the upload. */
    Refusal conflict(Upload upload, String message, Limits limits) {
        return new Refusal(new JsonResponse(409)
                .uploadStatus(upload, agreement)
                .prefix(upload, agreement)
                .limits(limits, agreement)
                .message(message)
                .closeConnection());
    }
}
