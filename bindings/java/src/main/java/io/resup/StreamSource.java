package io.resup;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.BooleanSupplier;

/** A source that opens a new stream where the upload has to go back. */
final class StreamSource implements Source {
    /** How many bytes are skipped at most before {@code shouldContinue} is asked again. */
    private static final long SKIP = 65_536;

    private final long size;
    private final StreamOpener opener;
    private InputStream stream;
    private long position;

    StreamSource(long size, StreamOpener opener) {
        this.size = size;
        this.opener = opener;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void seek(long offset, BooleanSupplier shouldContinue) throws IOException {
        if (stream != null && offset < position)
            close();
        if (stream == null) {
            stream = opener.open();
            if (stream == null)
                throw new IOException("the program's StreamOpener opened no stream");
            position = 0;
        }
        while (position < offset && shouldContinue.getAsBoolean()) {
            long skipped = stream.skip(Math.min(offset - position, SKIP));
            if (skipped <= 0) {
                if (stream.read() < 0)
                    throw new EOFException("the stream ended at byte " + position + ", and is needed from " + offset
                        + " on: it has to be the same each time it is opened");
                skipped = 1;
            }
            position += skipped;
        }
    }

    @Override
    public int read(byte[] buffer, BooleanSupplier shouldContinue) throws IOException {
        int length = (int) Math.min(buffer.length, size - position);
        int count = 0;
        while (count < length && shouldContinue.getAsBoolean()) {
            int read = stream.read(buffer, count, length - count);
            if (read < 0)
                break;
            count += read;
        }
        position += count;
        return count;
    }

    @Override
    public void close() throws IOException {
        InputStream closing = stream;
        stream = null;
        if (closing != null)
            closing.close();
    }
}
