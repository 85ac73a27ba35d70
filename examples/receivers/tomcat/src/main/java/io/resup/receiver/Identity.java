package io.resup.receiver;

import java.nio.charset.StandardCharsets;

/**
 * The properties by which two files are the same.
 *
 * @param owner the user who uploads it
 * @param dir the target directory, as the client wrote it
 * @param name its name
 * @param size its number of bytes
 * @param mtime its modification time; empty when not given
 * @param digests the digests of the whole file, as the client gave them
 */
record Identity(String owner, String dir, String name, long size, String mtime, KnownDigests digests) {
    /** Reads the fields of a request. */
    static Identity read(String owner, Fields fields) throws Refusal {
        return new Identity(owner, fields.dir(), fields.name(), fields.bytes("size"), fields.mtime(),
                KnownDigests.read(fields, ""));
    }

    /** Reads the fields of a locate or a store. Clients of version 1.0 mean SHA-256 for instant uploads only. */
    static Identity read(String owner, Fields fields, Agreement agreement) throws Refusal {
        Identity file = read(owner, fields);
        return agreement.isNamed() ? file : file.withDigests(file.digests().onlyMd5());
    }

    /**
     * Makes one key of a fixed length of owner, directory, name and size. Databases differ in how they treat long keys,
     * and upper and lower case.
     */
    String key() {
        String text = String.join("\0", owner, dir, name, Long.toString(size));
        return Digests.hex(Digests.sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Returns a copy with these digests. */
    Identity withDigests(KnownDigests digests) {
        return new Identity(owner, dir, name, size, mtime, digests);
    }
}
