package io.resup.receiver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The bytes: one file for each upload, named by its id. No name that a client chose is ever part of a path. */
final class Store {
    private static final String DIRECTORY = "files";

    private final Path directory;

    Store(Path data) throws IOException {
        directory = Files.createDirectories(data.resolve(DIRECTORY));
    }

    /** Where an upload's file is, below the data directory. */
    static String location(String id) {
        return DIRECTORY + '/' + id;
    }

    private Path path(String id) {
        return directory.resolve(id);
    }

    /** How many bytes there are of an upload. */
    long length(String id) throws IOException {
        Path path = path(id);
        return Files.exists(path) ? Files.size(path) : 0;
    }

    /**
     * Opens an upload's file to go on at an offset; what is behind it is dropped. At 0 it is a new file: the old one
     * may be another upload's, too.
     */
    FileChannel writeFrom(String id, long offset) throws IOException {
        if (offset == 0) {
            Files.deleteIfExists(path(id));
            FileChannel channel =
                    FileChannel.open(path(id), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            sync();
            return channel;
        }
        FileChannel channel = FileChannel.open(path(id), StandardOpenOption.WRITE);
        return channel.truncate(offset).position(offset);
    }

    /** Digests an upload's first bytes anew. */
    Digests digest(String id, long length) throws IOException {
        Digests digests = new Digests();
        if (length == 0) {
            return digests;
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        try (FileChannel channel = FileChannel.open(path(id), StandardOpenOption.READ)) {
            for (long left = length; left > 0; left -= buffer.limit()) {
                buffer.clear().limit((int) Math.min(left, buffer.capacity()));
                if (channel.read(buffer) < 0) {
                    throw new IOException(path(id) + " ends before byte " + length);
                }
                digests.update(buffer.flip());
            }
        }
        return digests;
    }

    /** Forgets an upload's bytes. */
    void remove(String id) throws IOException {
        Files.deleteIfExists(path(id));
    }

    /** Has an upload share the file of a finished one, which nobody will write to any more. */
    void link(String twin, String id) throws IOException {
        Files.deleteIfExists(path(id));
        Files.createLink(path(id), path(twin));
        sync();
    }

    /** Makes names durable. */
    private void sync() throws IOException {
        // Windows has no such thing, and opens no directory.
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
