package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;

/** The lock of an upload. One request has it at a time. */
final class Lock {
    private final String id;
    /** When the wait for the client began, by System.nanoTime; 0 while nothing waits for it. */
    private volatile long waitStart;
    private volatile Writer writer;

    Lock(String id) {
        this.id = id;
    }

    String id() {
        return id;
    }

    /** Sets the writer that a newer request stops when the client is silent. */
    void setWriter(Writer writer) {
        this.writer = writer;
    }

    /** Begins a wait for bytes of the client. */
    void startWait() {
        long now = System.nanoTime();
        waitStart = now == 0 ? 1 : now;
    }

    /** Ends the wait: the client has sent bytes. */
    void endWait() {
        waitStart = 0;
    }

    /** Returns for how long the client has been silent, in nanoseconds. */
    long silence(long now) {
        long since = waitStart;
        return since == 0 || writer == null ? 0 : now - since;
    }

    /** Stops the writer. Received bytes are kept. The writer's thread notices it when its client sends again. */
    void stopWriter(Refusal why) throws IOException, SQLException {
        Writer current = writer;
        if (current != null) {
            current.stop(why);
        }
    }
}
