package io.resup;

import java.io.IOException;
import java.io.InputStream;

/**
 * Opens a stream at its beginning, as often as it is asked: after a break an upload has to go back. A stream whose read
 * blocks also holds up the end of a run: neither a cancel nor a close reaches it, an interrupt only if it heeds that.
 */
@FunctionalInterface
public interface StreamOpener {
    /**
     * Opens the stream anew; always the same bytes.
     *
     * @return a stream at its first byte, which is closed when it is not needed any more
     * @throws IOException  ends the upload, and is thrown again from {@code run()}
     */
    InputStream open() throws IOException;
}
