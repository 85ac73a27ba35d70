package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One request works on an upload at a time: who comes second waits a little, and takes over from the dead. */
final class Desk {
    /** How long a newcomer waits for the one before it. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(2);
    /** A client that has sent nothing for so long, while another one knocks, is taken for dead. */
    private static final long SILENCE = TimeUnit.SECONDS.toNanos(1);

    private final Map<String, Claim> claims = new HashMap<>();
    private boolean closed;

    /** Waits until nobody else works on the upload; not for long. */
    Claim claim(String id) throws Refusal, InterruptedException, IOException, SQLException {
        Claim claim = new Claim(id);
        long deadline = System.nanoTime() + PATIENCE;
        while (true) {
            Claim dead = claimOrWait(claim, deadline);
            if (dead == null) {
                return claim;
            }
            dead.end(new Refusal(423, "a newer request has taken this upload over"));
            release(dead);
        }
    }

    /** Gives the claim and returns <code>null</code>, or returns one that is to be taken away. */
    private synchronized Claim claimOrWait(Claim claim, long deadline) throws Refusal, InterruptedException {
        while (true) {
            if (closed) {
                throw shutDown();
            }
            Claim holder = claims.putIfAbsent(claim.id(), claim);
            if (holder == null) {
                return null;
            }
            long now = System.nanoTime();
            long silence = holder.silence(now);
            if (silence >= SILENCE) {
                return holder;
            }
            if (now >= deadline) {
                throw new Refusal(423, "another client is writing this upload");
            }
            long wait = Math.min(deadline - now, SILENCE - silence);
            TimeUnit.NANOSECONDS.timedWait(this, wait + TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    /** Gives a claim back, if it was not taken away. */
    synchronized void release(Claim claim) {
        claims.remove(claim.id(), claim);
        notifyAll();
    }

    /** Ends all work in good order; no claim is given any more. */
    void close() throws IOException, SQLException {
        List<Claim> last;
        synchronized (this) {
            closed = true;
            last = new ArrayList<>(claims.values());
            notifyAll();
        }
        for (Claim claim : last) {
            claim.end(shutDown());
        }
    }

    private static Refusal shutDown() {
        return new Refusal(503, "the receiver is shutting down");
    }
}
