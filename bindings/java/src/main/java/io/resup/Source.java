package io.resup;

import java.io.Closeable;
import java.io.IOException;
import java.util.function.BooleanSupplier;

/** What an upload reads where the native side cannot: called on the thread of the run only. */
interface Source extends Closeable {
    /** Bytes in the whole. */
    long size() throws IOException;

    /** Sets the position of the next read, or returns early when it is not wanted any more. */
    void seek(long offset, BooleanSupplier wanted) throws IOException;

    /** Reads as much as there is room for; less only at the end, where it is 0, and when it is not wanted any more. */
    int read(byte[] into, BooleanSupplier wanted) throws IOException;

    /** Lets go of what only this class opened; it may be read again. */
    @Override
    void close() throws IOException;
}
