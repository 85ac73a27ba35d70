package io.resup;

import java.io.IOException;
import java.io.InputStream;

/**
 * Opens a stream at its beginning, as often as it is called: after a lost connection an upload has to go back. While a
 * read of the stream blocks, the run cannot end: a cancel or a close does not interrupt it, and an interrupt of the
 * thread does only if the stream supports that.
 */
@FunctionalInterface
public interface StreamOpener {
    /**
     * Opens a new stream with the same bytes.
     *
     * @return a stream at its first byte; the upload closes it
     * @throws IOException  ends the upload; {@code run()} throws the same object
     */
    InputStream open() throws IOException;
}
