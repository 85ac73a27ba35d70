package io.resup;

import java.io.Closeable;
import java.io.IOException;
import java.util.function.BooleanSupplier;

/** A source that Java reads for the native library; called only on the thread of the run. */
interface Source extends Closeable {
    /** What a read returns that got nothing and has not reached the end. */
    int STOPPED = -1;

    /** Returns the size in bytes. */
    long size() throws IOException;

    /** Sets the position of the next read. Returns early once {@code shouldContinue} is false. */
    void seek(long offset, BooleanSupplier shouldContinue) throws IOException;

    /**
     * Fills the buffer and returns its length. Returns less only at the end of the source, where it is 0, and once
     * {@code shouldContinue} is false; a source that cannot go back returns {@link #STOPPED} then, in place of 0.
     */
    int read(byte[] buffer, BooleanSupplier shouldContinue) throws IOException;

    /** Closes what this class has opened. The source may be read again afterwards. */
    @Override
    void close() throws IOException;
}
