package io.resup.receiver;

import java.security.SecureRandom;
import java.util.Locale;

/**
 * One upload as the database knows it.
 *
 * @param id our own key of it, and the name of its file
 * @param file the file, as the client describes it
 * @param state how far it is
 * @param held bytes that are durable, from the start, without a gap
 * @param heldMd5 the MD5 of those bytes
 * @param heldSha256 their SHA-256
 */
record Upload(String id, Identity file, State state, long held, String heldMd5, String heldSha256) {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** How far an upload is. */
    enum State {
        /** Known by name, no byte has come. */
        NEW,
        /** Some bytes are held, or all of them but not yet judged. */
        PARTIAL,
        /** All bytes are held and their digests agreed. */
        COMPLETE;

        /** The word for it on the wire and in the database. */
        String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        static State of(String word) {
            return valueOf(word.toUpperCase(Locale.ROOT));
        }
    }

    /** An upload of a file that has not been seen before. */
    static Upload of(Identity file) {
        byte[] id = new byte[16];
        RANDOM.nextBytes(id);
        Digests none = new Digests();
        return new Upload(Digests.hex(id), file, State.NEW, 0, none.md5(), none.sha256Hex());
    }

    /** The same upload with so many bytes, that have these digests. */
    Upload holding(State now, long bytes, Digests digests) {
        return new Upload(id, file, now, bytes, digests.md5(), digests.sha256Hex());
    }

    /** The same upload, finished with the bytes of another one. */
    Upload finishedAs(Upload twin) {
        return new Upload(id, file, State.COMPLETE, twin.held, twin.heldMd5, twin.heldSha256);
    }

    /** The same upload, of which the file's MD5 is known now. */
    Upload withMd5(String md5) {
        return new Upload(id, file.withMd5(md5), state, held, heldMd5, heldSha256);
    }
}
