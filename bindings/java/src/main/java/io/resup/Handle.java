package io.resup;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/**
 * An object of the native library, known by its number. It is freed once: by {@link #free()}, or, where nobody calls
 * that, when the next handle is created after the garbage collector has found this one unreachable.
 *
 * <p>The native methods of subclasses are not static, so that the handle stays reachable while one of them runs.
 */
abstract class Handle {
    private static final ReferenceQueue<Handle> UNREACHABLE = new ReferenceQueue<>();
    /** Keeps the references themselves reachable. */
    private static final Set<Reference> LIVE = Collections.newSetFromMap(new ConcurrentHashMap<>());

    final long number;
    private final Reference reference;

    Handle(long number, LongConsumer free) {
        this.number = number;
        reference = new Reference(this, number, free);
        LIVE.add(reference);
        freeUnreachable();
    }

    /** Frees the object; later calls do nothing. */
    final void free() {
        reference.free();
    }

    private static void freeUnreachable() {
        for (Object reference = UNREACHABLE.poll(); reference != null; reference = UNREACHABLE.poll())
            ((Reference) reference).free();
    }

    /** A reference that can free the object and does not keep the handle reachable. */
    private static final class Reference extends PhantomReference<Handle> {
        private final long number;
        private final LongConsumer free;

        Reference(Handle handle, long number, LongConsumer free) {
            super(handle, UNREACHABLE);
            this.number = number;
            this.free = free;
        }

        void free() {
            if (LIVE.remove(this)) {
                clear();
                free.accept(number);
            }
        }
    }
}
