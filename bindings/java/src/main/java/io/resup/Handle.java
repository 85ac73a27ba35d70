package io.resup;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/**
 * An object of the native side, known by its number, which is let go once: by {@link #free()}, or after the garbage
 * collector has found this one, when the next one is made.
 *
 * <p>Its native methods are not static, so that it is reachable as long as one is under way.
 */
abstract class Handle {
    private static final ReferenceQueue<Handle> FOUND = new ReferenceQueue<>();
    private static final Set<Hold> HELD = Collections.newSetFromMap(new ConcurrentHashMap<>());

    final long number;
    private final Hold hold;

    Handle(long number, LongConsumer free) {
        this.number = number;
        hold = new Hold(this, number, free);
        HELD.add(hold);
        sweep();
    }

    /** Lets it go; later calls do nothing. */
    final void free() {
        hold.free();
    }

    private static void sweep() {
        for (Object found = FOUND.poll(); found != null; found = FOUND.poll())
            ((Hold) found).free();
    }

    /** What is needed to let it go, without keeping it. */
    private static final class Hold extends PhantomReference<Handle> {
        private final long number;
        private final LongConsumer free;

        Hold(Handle handle, long number, LongConsumer free) {
            super(handle, FOUND);
            this.number = number;
            this.free = free;
        }

        void free() {
            if (HELD.remove(this)) {
                clear();
                free.accept(number);
            }
        }
    }
}
