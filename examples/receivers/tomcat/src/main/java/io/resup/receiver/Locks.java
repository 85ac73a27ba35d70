package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The locks of the uploads. A second request waits a little, and takes the lock over from a dead client. */
final class Locks {
    /** How long a request waits for a lock. */
    private static final long MAX_WAIT = TimeUnit.SECONDS.toNanos(2);
    /** The silence after which a client counts as dead when another one wants the lock. */
    private static final long MAX_SILENCE = TimeUnit.SECONDS.toNanos(1);

    private final Map<String, Lock> locks = new HashMap<>();
    private boolean closed;

    /** Acquires the lock of an upload. Refuses when it is not free in time. */
    Lock acquire(String id) throws Refusal, InterruptedException, IOException, SQLException {
        Lock lock = new Lock(id);
        long deadline = System.nanoTime() + MAX_WAIT;
        while (true) {
            Lock dead = addOrWait(lock, deadline);
            if (dead == null) {
                return lock;
            }
            dead.stopWriter(new Refusal(423, "a newer request has taken this upload over"));
            release(dead);
        }
    }

    /** Adds the lock and returns <code>null</code>, or returns the lock of a dead client. */
    private synchronized Lock addOrWait(Lock lock, long deadline) throws Refusal, InterruptedException {
        while (true) {
            if (closed) {
                throw shutDown();
            }
            Lock holder = locks.putIfAbsent(lock.id(), lock);
            if (holder == null) {
                return null;
            }
            long now = System.nanoTime();
            long silence = holder.silence(now);
            if (silence >= MAX_SILENCE) {
                return holder;
            }
            if (now >= deadline) {
                throw new Refusal(423, "another client is writing this upload");
            }
            long wait = Math.min(deadline - now, MAX_SILENCE - silence);
            TimeUnit.NANOSECONDS.timedWait(this, wait + TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    /** Releases a lock, if no other request has taken it over. */
    synchronized void release(Lock lock) {
        locks.remove(lock.id(), lock);
        notifyAll();
    }

    /** Stops all writers. No lock can be acquired after that. */
    void close() throws IOException, SQLException {
        List<Lock> held;
        synchronized (this) {
            closed = true;
            held = new ArrayList<>(locks.values());
            notifyAll();
        }
        for (Lock lock : held) {
            lock.stopWriter(shutDown());
        }
    }

    private static Refusal shutDown() {
        return new Refusal(503, "the receiver is shutting down");
    }
}
