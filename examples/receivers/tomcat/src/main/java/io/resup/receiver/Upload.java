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
 * @param held the digests of those bytes
 */
record Upload(String id, Identity file, State state, long offset, KnownDigests held) {
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
        return new Upload(Digests.hex(id), file, State.NEW, 0, new Digests().known());
    }

    /** Returns a copy in this state, with the number of bytes and their digests. */
    Upload withContent(State state, long bytes, Digests digests) {
        return new Upload(id, file, state, bytes, digests.known());
    }

    /** Returns a copy that is complete with the bytes of another upload. */
    Upload completeFrom(Upload original) {
        return new Upload(id, file, State.COMPLETE, original.offset, original.held);
    }

    /** Returns a copy with what clients say of the whole file. */
    Upload withDigests(KnownDigests digests) {
        return new Upload(id, file.withDigests(digests), state, offset, held);
    }

    /** Tells whether nothing of the file is stored. */
    boolean isEmpty() {
        return state != State.COMPLETE && offset == 0;
    }

    /** Returns the digests of the whole file. */
    KnownDigests whole() {
        return state == State.COMPLETE ? held : file.digests();
    }

    /**
     * Tells whether it is of this file, which has the same owner, directory, name and size. A digest that both have
     * decides, else the modification time. Without a time, digests of different kinds tell nothing.
     */
    boolean isOf(Identity other) {
        boolean isComparable = !file.mtime().isEmpty() || whole().isEmpty() || other.digests().isEmpty();
        boolean isSameTime = isComparable && file.mtime().equals(other.mtime());
        return whole().agrees(other.digests()) && (whole().shares(other.digests()) || isSameTime);
    }
}
