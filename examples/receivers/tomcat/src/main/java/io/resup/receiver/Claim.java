package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;

/** The right to work on an upload, which one request has at a time. */
final class Claim {
    private final String id;
    /** Since when the client is waited for, by System.nanoTime; 0 while it is not. */
    private volatile long listeningSince;
    private volatile Writer writer;

    Claim(String id) {
        this.id = id;
    }

    String id() {
        return id;
    }

    /** Has a newcomer end the writer when the client falls silent. */
    void writing(Writer begun) {
        writer = begun;
    }

    /** From now on the client is waited for. */
    void listen() {
        long now = System.nanoTime();
        listeningSince = now == 0 ? 1 : now;
    }

    /** The client has been heard. */
    void heard() {
        listeningSince = 0;
    }

    /** For how long the client has been silent. */
    long silence(long now) {
        long since = listeningSince;
        return since == 0 || writer == null ? 0 : now - since;
    }

    /** Ends the work; what has come is kept. The thread that did it learns it when it hears its client again. */
    void end(Refusal why) throws IOException, SQLException {
        Writer begun = writer;
        if (begun != null) {
            begun.stop(why);
        }
    }
}
