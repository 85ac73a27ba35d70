package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Pausing, cancelling, closing and interrupting. */
class ControlTest extends WithReceiver {
    private static void sending(ResumableUpload upload) throws Exception {
        Some.until("some bytes are sent", () -> upload.progress().position() > 0);
    }

    @Test
    void a_paused_upload_goes_on_when_it_is_resumed() throws Exception {
        try (ResumableUpload upload = slow("paused").build()) {
            CompletableFuture<UploadResult> future = upload.runAsync(executor);
            sending(upload);
            upload.pause();
            Some.until("it is paused", () -> upload.state() == UploadState.PAUSED);
            Thread.sleep(200);
            assertEquals(UploadState.PAUSED, upload.state());
            upload.setRateLimit(0);
            upload.resume();
            assertEquals(2, future.get().attempts());
            Some.assertStored(receiver, future.get(), Some.bytes(4_000_000));
        }
    }

    @Test
    void a_cancelled_upload_says_so_and_can_be_run_again() throws Exception {
        try (ResumableUpload upload = slow("cancelled").build()) {
            CompletableFuture<UploadResult> future = upload.runAsync(executor);
            sending(upload);
            upload.cancel();
            UploadCancelledException cancelled = (UploadCancelledException) cause(future);
            assertEquals(ErrorCode.CANCELLED, cancelled.code());
            assertFalse(cancelled.isRetryable());
            assertEquals(UploadState.CANCELLED, upload.state());
            upload.setRateLimit(0);
            assertEquals(4_000_000, upload.run().size());
        }
    }

    @Test
    void a_discarded_upload_begins_anew() throws Exception {
        try (ResumableUpload upload = slow("discarded").build()) {
            CompletableFuture<UploadResult> future = upload.runAsync(executor);
            sending(upload);
            assertThrows(IllegalStateException.class, upload::discard);
            upload.cancel();
            cause(future);
            upload.setRateLimit(0);
            upload.discard();
            assertEquals(UploadState.READY, upload.state());
            assertEquals(0, upload.run().bytesSkipped());
            ResupException refused = assertThrows(ResupException.class, upload::discard);
            assertEquals(ErrorCode.REFUSED, refused.code());
            assertEquals(4_000_000, upload.run().bytesSkipped());
        }
    }

    @Test
    void an_interrupt_ends_a_discard() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                ResumableUploadClient client =
                    ResumableUploadClient.create("http://127.0.0.1:" + silent.getLocalPort() + "/upload");
                ResumableUpload upload = client.upload("silent", new byte[10]).build()) {
            Thread.currentThread().interrupt();
            assertThrows(UploadCancelledException.class, upload::discard);
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void a_cancel_before_the_first_run_ends_that_one() throws Exception {
        try (ResumableUpload upload = slow("early").build()) {
            upload.cancel();
            assertThrows(UploadCancelledException.class, upload::run);
        }
    }

    @Test
    void cancelling_the_future_cancels_the_upload() throws Exception {
        try (ResumableUpload upload = slow("future").build()) {
            CompletableFuture<UploadResult> future = upload.runAsync(executor);
            sending(upload);
            assertTrue(future.cancel(false));
            assertThrows(CancellationException.class, future::get);
            Some.until("it is cancelled", () -> upload.state() == UploadState.CANCELLED);
        }
    }

    @Test
    void a_future_that_is_cancelled_in_the_queue_never_runs() throws Exception {
        ExecutorService one = Executors.newSingleThreadExecutor();
        CountDownLatch go = new CountDownLatch(1);
        one.execute(() -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                return;
            }
        });
        try (ResumableUpload upload = slow("queued").build()) {
            CompletableFuture<UploadResult> future = upload.runAsync(one);
            future.cancel(true);
            go.countDown();
            one.submit(() -> null).get();
            assertEquals(UploadState.READY, upload.state());
            one.shutdown();
        }
    }

    @Test
    void closing_during_a_run_cancels_it() throws Exception {
        ResumableUpload upload = slow("closed").build();
        CompletableFuture<UploadResult> future = upload.runAsync(executor);
        sending(upload);
        upload.close();
        assertTrue(cause(future) instanceof UploadCancelledException);
        Some.until("the state is the final one", () -> upload.state() == UploadState.CANCELLED);
        assertThrows(IllegalStateException.class, upload::run);
    }

    @Test
    void closing_in_a_listener_cancels_it() throws Exception {
        ResumableUpload upload = slow("closed inside").listener(new UploadListener() {
            @Override
            public void progress(ResumableUpload self, UploadProgress now) {
                self.close();
            }
        }).build();
        assertThrows(UploadCancelledException.class, upload::run);
        assertEquals(UploadState.CANCELLED, upload.state());
    }

    @Test
    void closing_at_any_moment_is_safe() throws Exception {
        for (int i = 0; i < 60; i++) {
            ResumableUpload upload = client.upload("any moment " + i, Some.bytes(100_000 + i)).build();
            CompletableFuture<UploadResult> future = upload.runAsync(executor);
            Thread.sleep(i / 10, i % 10 * 100_000);
            upload.close();
            try {
                future.get();
            } catch (ExecutionException failed) {
                Throwable cause = failed.getCause();
                assertTrue(cause instanceof UploadCancelledException || cause instanceof IllegalStateException,
                    () -> "not a " + cause);
            }
        }
    }

    @Test
    void closing_right_after_a_second_run_began_ends_that_one() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        // Whoever connects there gets no answer.
        try (ServerSocket deaf = new ServerSocket(0, 200, InetAddress.getByName("127.0.0.1"));
                ResumableUploadClient waiting = ResumableUploadClient
                    .builder("http://127.0.0.1:" + deaf.getLocalPort() + "/upload").proxy("none").build()) {
            for (int i = 0; i < 400; i++) {
                ResumableUpload upload = waiting.upload("second " + i, new byte[10]).build();
                upload.cancel();
                assertThrows(UploadCancelledException.class, upload::run);
                AtomicBoolean began = new AtomicBoolean();
                CompletableFuture<UploadResult> future = upload.runAsync(run -> executor.execute(() -> {
                    began.set(true);
                    run.run();
                }));
                // Naps would be too long.
                while (!began.get())
                    continue;
                long until = System.nanoTime() + random.nextInt(60_000);
                while (System.nanoTime() < until)
                    continue;
                upload.close();
                Throwable cause = assertThrows(ExecutionException.class, () -> future.get(20, TimeUnit.SECONDS)).getCause();
                assertTrue(cause instanceof UploadCancelledException || cause instanceof IllegalStateException,
                    () -> "not a " + cause);
            }
        }
    }

    @Test
    void an_interrupt_cancels_and_is_kept() throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        AtomicReference<Boolean> interrupted = new AtomicReference<>();
        try (ResumableUpload upload = slow("interrupted").build()) {
            Thread thread = new Thread(() -> {
                thrown.set(assertThrows(Throwable.class, upload::run));
                interrupted.set(Thread.currentThread().isInterrupted());
            });
            thread.start();
            sending(upload);
            thread.interrupt();
            thread.join(60_000);
            assertTrue(thrown.get() instanceof UploadCancelledException, () -> "not a " + thrown.get());
            assertTrue(interrupted.get());
        }
    }

    @Test
    void an_interrupted_thread_uploads_nothing() throws Exception {
        try (ResumableUpload upload = slow("before").build()) {
            Thread.currentThread().interrupt();
            assertThrows(UploadCancelledException.class, upload::run);
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void an_interrupt_that_closes_the_channel_is_a_cancel_too() throws Exception {
        Path file = Some.file(directory, "channel", 40_000_000);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        try (FileChannel channel = FileChannel.open(file);
                ResumableUpload upload = client.upload("channel", channel).rateLimit(1_000_000).build()) {
            Thread thread = new Thread(() -> thrown.set(assertThrows(Throwable.class, upload::run)));
            thread.start();
            Some.until("it is being read", () -> upload.state() == UploadState.HASHING);
            thread.interrupt();
            thread.join(60_000);
            assertTrue(thrown.get() instanceof UploadCancelledException, () -> "not a " + thrown.get());
            Throwable cause = thrown.get().getCause();
            assertTrue(cause == null || cause instanceof ClosedByInterruptException);
        }
    }

    @Test
    void an_interrupt_that_a_stream_has_swallowed_is_a_cancel_too() throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        AtomicBoolean interrupted = new AtomicBoolean();
        AtomicBoolean opened = new AtomicBoolean();
        try (PipedOutputStream silent = new PipedOutputStream();
                ResumableUpload upload = client.upload("pipe", 1000, () -> {
                    opened.set(true);
                    return new PipedInputStream(silent);
                }).build()) {
            Thread thread = new Thread(() -> {
                thrown.set(assertThrows(Throwable.class, upload::run));
                interrupted.set(Thread.currentThread().isInterrupted());
            });
            thread.start();
            Some.until("it is being read", opened::get);
            thread.interrupt();
            thread.join(60_000);
            assertTrue(thrown.get() instanceof UploadCancelledException, () -> "not a " + thrown.get());
            assertTrue(interrupted.get());
            assertEquals(UploadState.CANCELLED, upload.state());
        }
        SocketTimeoutException late = new SocketTimeoutException("late");
        try (ResumableUpload upload = client.upload("late", 1000, () -> {
            throw late;
        }).build()) {
            assertSame(late, assertThrows(IOException.class, upload::run));
            assertFalse(Thread.interrupted());
        }
    }

    /** Gives little at a time, and counts how often. */
    private static final class Trickle extends InputStream {
        final AtomicInteger times = new AtomicInteger();
        long most;

        @Override
        public int read() {
            return 1;
        }

        @Override
        public int read(byte[] into, int at, int length) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            times.incrementAndGet();
            return Math.min(length, 100);
        }

        @Override
        public long skip(long length) {
            most = Math.max(most, length);
            times.incrementAndGet();
            return length;
        }
    }

    @Test
    void a_cancel_does_not_wait_for_a_slow_stream() throws Exception {
        Trickle slow = new Trickle();
        try (ResumableUpload upload = client.upload("trickle", 10_000_000, () -> slow).build()) {
            CompletableFuture<UploadResult> future = upload.runAsync(executor);
            Some.until("it is being read", () -> slow.times.get() > 10);
            upload.cancel();
            int before = slow.times.get();
            assertTrue(cause(future) instanceof UploadCancelledException);
            // A block has 2622 of them.
            assertTrue(slow.times.get() < before + 100, () -> slow.times.get() - before + " times more");
            assertEquals(UploadState.CANCELLED, upload.state());
        }
    }

    @Test
    void a_cancel_ends_the_skipping_of_a_stream() throws Exception {
        Trickle slow = new Trickle();
        try (StreamSource source = new StreamSource(10_000_000_000L, () -> slow)) {
            source.seek(5_000_000_000L, () -> slow.times.get() < 10);
            assertEquals(10, slow.times.get());
            assertEquals(65_536, slow.most);
        }
    }
}
