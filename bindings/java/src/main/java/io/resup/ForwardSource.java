package io.resup;

import java.io.IOException;
import java.io.InputStream;
import java.util.function.BooleanSupplier;

/** A stream of the program that is read once, to its end, and stays open. */
final class ForwardSource implements Source {
    private final InputStream stream;
    /** What the stream threw after bytes that were read: they go first, or another run would miss them. */
    private Exception failure;

    ForwardSource(InputStream stream) {
        this.stream = stream;
    }

    @Override
    public long size() {
        throw new UnsupportedOperationException("a stream that is read once has no size");
    }

    @Override
    public void seek(long offset, BooleanSupplier shouldContinue) {
        throw new UnsupportedOperationException("a stream that is read once cannot go back");
    }

    @Override
    public int read(byte[] buffer, BooleanSupplier shouldContinue) throws IOException {
        int count = 0;
        try {
            throwFailure();
            while (count < buffer.length) {
                // Nothing is not the end.
                if (!shouldContinue.getAsBoolean())
                    return count > 0 ? count : STOPPED;
                int read = stream.read(buffer, count, buffer.length - count);
                if (read < 0)
                    break;
                count += read;
            }
        } catch (IOException | RuntimeException thrown) {
            if (count == 0)
                throw thrown;
            failure = thrown;
        }
        return count;
    }

    private void throwFailure() throws IOException {
        Exception thrown = failure;
        failure = null;
        if (thrown instanceof IOException)
            throw (IOException) thrown;
        if (thrown instanceof RuntimeException)
            throw (RuntimeException) thrown;
    }

    @Override
    public void close() {
    }
}
