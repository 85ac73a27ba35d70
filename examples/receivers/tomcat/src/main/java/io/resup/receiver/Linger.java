package io.resup.receiver;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.TimeUnit;

/**
 * Early answers stay readable: what a client still sends is read for a while after it has its answer, since an
 * answer is lost when its socket is closed with bytes unread.
 */
final class Linger {
    private static final long NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long BYTES = 4 << 20;

    private Linger() {}

    /** Reads on; a client that is silent is waited for as long as Tomcat's connectionTimeout says. */
    static void over(InputStream body) {
        long end = System.nanoTime() + NANOS;
        long left = BYTES;
        byte[] buffer = new byte[64 << 10];
        try {
            while (left > 0 && System.nanoTime() < end) {
                int count = body.read(buffer);
                if (count < 0) {
                    return;
                }
                left -= count;
            }
            // The client stands still now, and has the rest of the time to see its answer.
            TimeUnit.NANOSECONDS.sleep(end - System.nanoTime());
        } catch (IOException gone) {
            // Then nobody reads the answer.
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }
}
