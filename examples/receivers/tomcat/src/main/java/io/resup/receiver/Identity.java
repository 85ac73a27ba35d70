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
 * @param md5 the MD5 of the whole file; empty when not given
 */
record Identity(String owner, String dir, String name, long size, String mtime, String md5) {
    /**
     * Makes one key of a fixed length of owner, directory, name and size. Databases differ in how they treat long keys,
     * and upper and lower case.
     */
    String key() {
        String text = String.join("\0", owner, dir, name, Long.toString(size));
        return Digests.hex(Digests.sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Returns a copy with the MD5. */
    Identity withMd5(String md5) {
        return new Identity(owner, dir, name, size, mtime, md5);
    }
}
