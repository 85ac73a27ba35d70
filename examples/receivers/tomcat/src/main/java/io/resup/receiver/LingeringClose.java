package io.resup.receiver;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.TimeUnit;

/**
 * A lingering close: after an early response the rest of the body is read for a while. A socket that is closed with
 * unread bytes loses the response.
 */
final class LingeringClose {
    private static final long MAX_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long MAX_BYTES = 4 << 20;

    private LingeringClose() {}

    /** Reads and drops the body. Each read waits for a silent client as long as Tomcat's connectionTimeout says. */
    static void drain(InputStream body) {
        long end = System.nanoTime() + MAX_NANOS;
        long left = MAX_BYTES;
        byte[] buffer = new byte[64 << 10];
        try {
            while (left > 0 && System.nanoTime() < end) {
                int count = body.read(buffer);
                if (count < 0) {
                    return;
                }
                left -= count;
            }
            // The client is blocked now. It has the rest of the time to read the response.
            TimeUnit.NANOSECONDS.sleep(end - System.nanoTime());
        } catch (IOException lost) {
            // The client is gone: nobody reads the response.
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }
}
