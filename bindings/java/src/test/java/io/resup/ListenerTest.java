package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What listeners do, and what they throw. */
class ListenerTest extends WithReceiver {
    @Test
    void complete_may_run_it_again() throws Exception {
        AtomicReference<CompletableFuture<UploadResult>> again = new AtomicReference<>();
        try (ResumableUpload upload = client.upload("again", Some.bytes(4321)).listener(new UploadListener() {
            @Override
            public void complete(ResumableUpload self, UploadResult result, Throwable failure) {
                if (failure != null)
                    again.set(self.runAsync(Runnable::run));
            }
        }).build()) {
            upload.cancel();
            assertThrows(UploadCancelledException.class, upload::run);
            Some.assertStored(receiver, again.get().get(), Some.bytes(4321));
        }
    }

    @Test
    void only_one_run_is_made_at_a_time() throws Exception {
        AtomicReference<Throwable> inside = new AtomicReference<>();
        try (ResumableUpload upload = slow("twice").listener(new UploadListener() {
            @Override
            public void progress(ResumableUpload self, UploadProgress now) {
                inside.set(assertThrows(IllegalStateException.class, self::run));
            }
        }).build()) {
            CompletableFuture<UploadResult> future = upload.runAsync(executor);
            Some.until("the listener is called", () -> inside.get() != null);
            assertThrows(IllegalStateException.class, upload::run);
            assertFalse(future.isDone());
            upload.setRateLimit(0);
            future.get();
        }
    }

    @Test
    void what_a_listener_throws_cancels_and_is_thrown_again() throws Exception {
        RuntimeException mine = new RuntimeException("mine 😀");
        AtomicReference<Throwable> reported = new AtomicReference<>();
        try (ResumableUpload upload = slow("thrown").listener(new UploadListener() {
            @Override
            public void progress(ResumableUpload self, UploadProgress now) {
                throw mine;
            }

            @Override
            public void complete(ResumableUpload self, UploadResult result, Throwable failure) {
                reported.set(failure);
            }
        }).build()) {
            assertSame(mine, assertThrows(RuntimeException.class, upload::run));
            assertSame(mine, reported.get());
            assertEquals(UploadState.CANCELLED, upload.state());
            assertSame(mine, cause(upload.runAsync(executor)));
        }
    }

    @Test
    void errors_and_what_got_round_the_compiler_are_thrown_again_too() throws Exception {
        Error mine = new StackOverflowError("mine");
        Exception checked = new Exception("checked");
        AtomicReference<Throwable> toThrow = new AtomicReference<>(mine);
        try (ResumableUpload upload = slow("errors").listener(new UploadListener() {
            @Override
            public void state(ResumableUpload self, UploadState state) {
                ListenerTest.<RuntimeException>sneak(toThrow.get());
            }
        }).build()) {
            assertSame(mine, assertThrows(Error.class, upload::run));
            toThrow.set(checked);
            assertSame(checked, assertThrows(Exception.class, upload::run));
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneak(Throwable thrown) throws T {
        throw (T) thrown;
    }

    @Test
    void what_complete_throws_is_thrown_and_loses_no_failure() throws Exception {
        RuntimeException mine = new RuntimeException("mine");
        UploadListener listener = new UploadListener() {
            @Override
            public void complete(ResumableUpload self, UploadResult result, Throwable failure) {
                throw mine;
            }
        };
        try (ResumableUpload upload = client.upload("complete", new byte[7]).listener(listener).build()) {
            assertSame(mine, assertThrows(RuntimeException.class, upload::run));
            assertEquals(UploadState.COMPLETE, upload.state());
        }
        try (ResumableUpload upload = client.upload("not complete", new byte[7]).listener(listener).build()) {
            upload.cancel();
            UploadCancelledException cancelled = assertThrows(UploadCancelledException.class, upload::run);
            assertSame(mine, cancelled.getSuppressed()[0]);
        }
    }

    @Test
    void what_the_log_and_a_source_throw_is_thrown_again() throws Exception {
        RuntimeException mine = new RuntimeException("log");
        try (ResumableUploadClient telling = ResumableUploadClient.builder(receiver.endpoint())
                .log(LogLevel.DEBUG, (level, line) -> {
                    throw mine;
                }).build(); ResumableUpload upload = telling.upload("log", new byte[1]).build()) {
            assertSame(mine, assertThrows(RuntimeException.class, upload::run));
        }
        IOException source = new IOException("source");
        try (ResumableUpload upload = client.upload("source", 5, () -> {
            throw source;
        }).build()) {
            assertSame(source, assertThrows(IOException.class, upload::run));
        }
        try (ResumableUpload upload = client.upload("null", 5, () -> null).build()) {
            assertTrue(assertThrows(IOException.class, upload::run).getMessage().contains("StreamOpener"));
        }
    }

    @Test
    void a_listener_may_run_another_upload() throws Exception {
        AtomicReference<UploadResult> inner = new AtomicReference<>();
        UploadListener listener = new UploadListener() {
            @Override
            public void state(ResumableUpload self, UploadState state) {
                if (state != UploadState.SENDING)
                    return;
                try (ResumableUpload other = client.upload("inner", Some.bytes(5001)).build()) {
                    inner.set(other.run());
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
        byte[] bytes = Some.bytes(5002);
        try (ResumableUpload outer = client.upload("outer", bytes).listener(listener).build()) {
            Some.assertStored(receiver, outer.run(), bytes);
            Some.assertStored(receiver, inner.get(), Some.bytes(5001));
        }
    }
}
