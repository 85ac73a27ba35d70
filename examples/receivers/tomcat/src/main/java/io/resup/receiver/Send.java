package io.resup.receiver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.SQLException;

/** The send request: here are the next bytes. */
final class Send {
    private final Shelf shelf;
    private final Desk desk;
    private final long maxSegment;
    private final long commitBytes;

    Send(Shelf shelf, Desk desk, Settings settings) {
        this.shelf = shelf;
        this.desk = desk;
        maxSegment = settings.maxSegment();
        commitBytes = settings.commitBytes();
    }

    /** Answers a send. */
    Answer answer(Gate gate, Multipart form) throws Refusal, IOException, SQLException, InterruptedException {
        Order order = Order.read(form, gate);
        // Before the claim: it would tell of another owner's upload, and hold it up.
        if (shelf.records().find(gate.owner(), order.id()) == null) {
            throw Refusal.unknown(order.id());
        }
        Claim claim = desk.claim(order.id());
        try {
            return answer(gate, form, order, claim);
        } finally {
            desk.release(claim);
        }
    }

    private Answer answer(Gate gate, Multipart form, Order order, Claim claim)
            throws Refusal, IOException, SQLException {
        Upload upload = shelf.current(gate.owner(), order.id());
        if (upload == null) {
            throw Refusal.unknown(order.id());
        }
        order.check(upload, maxSegment);
        if (order.restarts(upload)) {
            upload = shelf.reset(upload);
        } else if (upload.state() == Upload.State.COMPLETE) {
            return Answer.of(upload).prefix(upload).leavingBody();
        }
        Digests digests = shelf.digests(upload);
        if (digests == null) {
            throw Order.conflict(shelf.reset(upload), "what was held of this upload is damaged: it starts afresh");
        }
        try (Writer writer = new Writer(shelf, upload, digests, commitBytes)) {
            claim.writing(writer);
            Upload now = writer.finish(receive(gate, form, order, claim, writer));
            return Answer.of(now).prefix(now).maxSegment(maxSegment);
        }
    }

    /** Writes the file's bytes, and returns what comes after them. */
    private static Tail receive(Gate gate, Multipart form, Order order, Claim claim, Writer writer)
            throws Refusal, IOException, SQLException {
        try {
            claim.listen();
            long left = order.length();
            for (ByteBuffer chunk = form.chunk(); chunk != null; chunk = form.chunk()) {
                claim.heard();
                boolean excess = chunk.remaining() > left;
                if (excess) {
                    chunk.limit(chunk.position() + (int) left);
                }
                left -= chunk.remaining();
                writer.write(chunk);
                if (excess) {
                    throw new Refusal(400, "the part 'file' has more bytes than 'length' says, " + order.length());
                }
                claim.listen();
            }
            if (left > 0) {
                throw new Refusal(400, "the part 'file' has " + left + " bytes less than 'length' says");
            }
            Fields fields = new Fields();
            for (String name = form.next(); name != null; name = form.next()) {
                if (name.equals("file")) {
                    throw new Refusal(400, "the form has a second part 'file'");
                }
                fields.add(name, form.value(name));
            }
            claim.heard();
            gate.tail(fields);
            return Tail.of(fields);
        } catch (Refusal broken) {
            Upload kept = writer.stop(broken);
            broken.answer().standing(kept).prefix(kept);
            throw broken;
        }
    }
}
