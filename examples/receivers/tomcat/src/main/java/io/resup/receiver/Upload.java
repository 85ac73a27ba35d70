package io.resup.receiver;

import java.security.SecureRandom;
import java.util.Locale;

/**
 * The record of one upload in the database.
 *
 * @param id its key, and the name of its file
 * @param file the file, as the client describes it
 * @param state its state
 * @param offset the number of durable bytes, from the start, without a gap
 * @param prefixMd5 the MD5 of those bytes
 * @param prefixSha256 their SHA-256
 */
record Upload(String id, Identity file, State state, long offset, String prefixMd5, String prefixSha256) {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** The state of an upload. */
    enum State {
        /** No byte was received. */
        NEW,
        /** Some bytes are stored, or all of them and not yet checked. */
        PARTIAL,
        /** All bytes are stored, and their digests matched. */
        COMPLETE;

        /** Returns the word for the state in the protocol and in the database. */
        String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        static State of(String word) {
            return valueOf(word.toUpperCase(Locale.ROOT));
        }
    }

    /** Makes the upload of a new file. */
    static Upload of(Identity file) {
        byte[] id = new byte[16];
        RANDOM.nextBytes(id);
        Digests empty = new Digests();
        return new Upload(Digests.hex(id), file, State.NEW, 0, empty.md5(), empty.sha256Hex());
    }

    /** Returns a copy in this state, with the number of bytes and their digests. */
    Upload withContent(State state, long bytes, Digests digests) {
        return new Upload(id, file, state, bytes, digests.md5(), digests.sha256Hex());
    }

    /** Returns a copy that is complete with the bytes of another upload. */
    Upload completeFrom(Upload original) {
        return new Upload(id, file, State.COMPLETE, original.offset, original.prefixMd5, original.prefixSha256);
    }

    /** Returns a copy with the MD5 of the whole file. */
    Upload withMd5(String md5) {
        return new Upload(id, file.withMd5(md5), state, offset, prefixMd5, prefixSha256);
    }
}
