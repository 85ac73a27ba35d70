package io.resup;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.BooleanSupplier;

/** Streams that are opened anew where the upload has to go back. */
final class StreamSource implements Source {
    /** What is skipped at a time. */
    private static final long PIECE = 65_536;

    private final long size;
    private final StreamOpener opener;
    private InputStream stream;
    private long at;

    StreamSource(long size, StreamOpener opener) {
        this.size = size;
        this.opener = opener;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void seek(long offset, BooleanSupplier wanted) throws IOException {
        if (stream != null && offset < at)
            close();
        if (stream == null) {
            stream = opener.open();
            if (stream == null)
                throw new IOException("the program's StreamOpener opened no stream");
            at = 0;
        }
        while (at < offset && wanted.getAsBoolean()) {
            long skipped = stream.skip(Math.min(offset - at, PIECE));
            if (skipped <= 0) {
                if (stream.read() < 0)
                    throw new EOFException("the stream ended at byte " + at + ", and is needed from " + offset
                        + " on: it has to be the same each time it is opened");
                skipped = 1;
            }
            at += skipped;
        }
    }

    @Override
    public int read(byte[] into, BooleanSupplier wanted) throws IOException {
        int most = (int) Math.min(into.length, size - at);
        int got = 0;
        while (got < most && wanted.getAsBoolean()) {
            int read = stream.read(into, got, most - got);
            if (read < 0)
                break;
            got += read;
        }
        at += got;
        return got;
    }

    @Override
    public void close() throws IOException {
        InputStream open = stream;
        stream = null;
        if (open != null)
            open.close();
    }
}
