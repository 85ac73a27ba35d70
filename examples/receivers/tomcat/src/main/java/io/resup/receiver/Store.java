package io.resup.receiver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The files of the uploads. Each is named by its upload's id. No name that a client chose is ever part of a path. */
final class Store {
    private static final String DIRECTORY = "files";

    private final Path directory;

    Store(Path data) throws IOException {
        directory = Files.createDirectories(data.resolve(DIRECTORY));
    }

    /** Returns the path of an upload's file, relative to the data directory. */
    static String location(String id) {
        return DIRECTORY + '/' + id;
    }

    private Path path(String id) {
        return directory.resolve(id);
    }

    /** Returns the size of an upload's file; 0 when there is none. */
    long length(String id) throws IOException {
        Path path = path(id);
        return Files.exists(path) ? Files.size(path) : 0;
    }

    /**
     * Opens an upload's file for writing at an offset. Bytes behind the offset are dropped. At 0 it is a new file, since
     * another upload may share the old one.
     */
    FileChannel openAt(String id, long offset) throws IOException {
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

    /** Computes the digests of an upload's first bytes from the file. */
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

    /** Deletes an upload's file. */
    void delete(String id) throws IOException {
        Files.deleteIfExists(path(id));
    }

    /** Lets an upload share the file of a complete one. Nothing is written to that file any more. */
    void link(String original, String id) throws IOException {
        Files.deleteIfExists(path(id));
        Files.createLink(path(id), path(original));
        sync();
    }

    /** Makes the directory's entries durable. */
    private void sync() throws IOException {
        // Windows needs no such call, and cannot open a directory.
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
