package io.resup.receiver;

import java.nio.charset.StandardCharsets;

/**
 * What makes a file the same file.
 *
 * @param owner who uploads
 * @param dir where to, as the client wrote it
 * @param name what it is called
 * @param size how many bytes it has
 * @param mtime its last modification; empty when not given
 * @param md5 the MD5 of the whole file; empty when not given
 */
record Identity(String owner, String dir, String name, long size, String mtime, String md5) {
    /**
     * Owner, directory, name and size as one key of a fixed length, by which databases find them whatever they think of
     * long keys and of upper and lower case.
     */
    String key() {
        String text = String.join("\0", owner, dir, name, Long.toString(size));
        return Digests.hex(Digests.sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** The same file, of which the MD5 is known now. */
    Identity withMd5(String found) {
        return new Identity(owner, dir, name, size, mtime, found);
    }
}
