package io.resup;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.EnumSet;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class UploadTest extends WithReceiver {
    private static UploadResult run(ResumableUpload.Builder builder) throws IOException {
        try (ResumableUpload upload = builder.build()) {
            return upload.run();
        }
    }

    @Test
    void a_path_and_a_file_arrive() throws IOException {
        byte[] bytes = Some.bytes(3_000_001);
        Path path = Some.file(directory, "path.bin", bytes.length);
        UploadResult result = run(client.upload(path));
        Some.assertStored(receiver, result, bytes);
        assertEquals(bytes.length, result.size());
        assertEquals(bytes.length, result.bytesSent());
        assertEquals(0, result.bytesSkipped());
        assertEquals(1, result.attempts());
        assertEquals("form", result.protocol());
        assertTrue(result.digest().get().matches("[0-9a-f]{32}([0-9a-f]{32})?"));
        assertEquals(result.digestAlgorithm().get() == DigestAlgorithm.MD5, result.md5().isPresent());
        assertTrue(receiver.record(result).contains("\"path.bin\""), receiver.record(result));
        assertEquals(bytes.length, run(client.upload(path.toFile())).bytesSkipped());
    }

    @Test
    void each_protocol_is_spoken_with_the_receiver() throws IOException {
        // It speaks neither of these two.
        for (Protocol protocol : EnumSet.complementOf(EnumSet.of(Protocol.DAV, Protocol.SESSION))) {
            try (ResumableUploadClient own = ResumableUploadClient.builder(receiver.endpoint()).protocol(protocol).build()) {
                UploadResult result = run(own.upload("by " + protocol, Some.bytes(1000)));
                String name = protocol == Protocol.AUTO ? "form" : protocol.name().toLowerCase(Locale.ROOT);
                assertEquals(name, result.protocol());
                assertEquals(1000, result.size());
            }
        }
    }

    @Test
    void an_empty_file_arrives() throws IOException {
        UploadResult result = run(client.upload(Some.file(directory, "empty", 0)));
        Some.assertStored(receiver, result, new byte[0]);
    }

    @Test
    void bytes_arrive_as_they_were_when_they_were_given() throws IOException {
        byte[] bytes = Some.bytes(200_000);
        ResumableUpload.Builder builder = client.upload("bytes", bytes.clone());
        Some.assertStored(receiver, run(builder), bytes);
    }

    @Test
    void a_channel_arrives_and_stays_open() throws IOException {
        byte[] bytes = Some.bytes(1_234_567);
        try (SeekableByteChannel channel = Files.newByteChannel(Some.file(directory, "x", bytes.length))) {
            channel.position(77);
            Some.assertStored(receiver, run(client.upload("channel", channel)), bytes);
            assertTrue(channel.isOpen());
        }
    }

    @Test
    void a_stream_is_opened_again_where_the_upload_goes_back() throws IOException {
        byte[] bytes = Some.bytes(1_000_003);
        AtomicInteger opened = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        StreamOpener opener = () -> {
            opened.incrementAndGet();
            return new ByteArrayInputStream(bytes) {
                @Override
                public void close() {
                    closed.incrementAndGet();
                }
            };
        };
        Some.assertStored(receiver, run(client.upload("stream", bytes.length, opener)), bytes);
        assertEquals(2, opened.get(), "once for the digest, once to send it");
        assertEquals(2, closed.get());
    }

    @Test
    void a_stream_of_unknown_size_is_read_once() throws IOException {
        for (Protocol protocol : new Protocol[] {Protocol.AUTO, Protocol.TUS, Protocol.IETF}) {
            // The server finds the bytes of other tests by their digest.
            byte[] bytes = Some.bytes(1_100_007);
            List<UploadProgress> numbers = Collections.synchronizedList(new ArrayList<>());
            UploadListener listener = new UploadListener() {
                @Override
                public void state(ResumableUpload upload, UploadState state) {
                    numbers.add(upload.progress());
                }
            };
            AtomicInteger closed = new AtomicInteger();
            InputStream stream = new ByteArrayInputStream(bytes) {
                @Override
                public synchronized int read(byte[] into, int from, int length) {
                    return super.read(into, from, Math.min(length, 10_007));
                }

                @Override
                public void close() {
                    closed.incrementAndGet();
                }
            };
            try (ResumableUploadClient own = ResumableUploadClient.builder(receiver.endpoint()).protocol(protocol).build();
                    ResumableUpload upload = own.upload("once " + protocol, stream).segmentSize(300_000).listener(listener).build()) {
                UploadResult result = upload.run();
                assertEquals(bytes.length, result.size());
                assertEquals(protocol == Protocol.IETF ? "ietf" : "tus", result.protocol());
                String url = result.id().get();
                Path stored = receiver.stored(url.substring(url.lastIndexOf('/') + 1));
                assertArrayEquals(bytes, Files.readAllBytes(stored));
                UploadProgress unknown = numbers.stream().filter(now -> now.size() == UploadProgress.SIZE_UNKNOWN).findAny().get();
                assertEquals(0, unknown.fraction());
                assertFalse(unknown.timeLeft().isPresent());
                assertEquals(0, closed.get());
            }
        }
    }

    @Test
    void a_cancelled_stream_of_unknown_size_goes_on() throws IOException {
        byte[] bytes = Some.bytes(500_000);
        AtomicReference<ResumableUpload> running = new AtomicReference<>();
        InputStream stream = new ByteArrayInputStream(bytes) {
            @Override
            public synchronized int read(byte[] into, int from, int length) {
                if (pos > 250_000 && running.get() != null)
                    running.getAndSet(null).cancel();
                return super.read(into, from, Math.min(length, 10_007));
            }
        };
        try (ResumableUpload upload = client.upload("goes on", stream).segmentSize(100_000).build()) {
            running.set(upload);
            assertThrows(UploadCancelledException.class, upload::run);
            UploadResult result = upload.run();
            assertEquals(bytes.length, result.size());
            assertTrue(result.bytesSkipped() >= 100_000, result.toString());
        }
    }

    @Test
    void a_stream_that_throws_loses_nothing_of_what_it_gave_before() throws IOException {
        byte[] bytes = Some.bytes(500_000);
        IOException late = new IOException("nothing came in time");
        AtomicInteger reads = new AtomicInteger();
        InputStream stream = new ByteArrayInputStream(bytes) {
            @Override
            public synchronized int read(byte[] into, int from, int length) {
                if (reads.incrementAndGet() == 7)
                    throw new IllegalStateException(late);
                return super.read(into, from, Math.min(length, 10_007));
            }
        };
        try (ResumableUpload upload = client.upload("torn", stream).build()) {
            assertEquals(late, assertThrows(IllegalStateException.class, upload::run).getCause());
            UploadResult result = upload.run();
            assertEquals(bytes.length, result.size());
            String url = result.id().get();
            Path stored = receiver.stored(url.substring(url.lastIndexOf('/') + 1));
            assertArrayEquals(bytes, Files.readAllBytes(stored));
        }
    }

    @Test
    void a_stream_of_unknown_size_is_not_for_forms() throws IOException {
        try (ResumableUploadClient own = ResumableUploadClient.builder(receiver.endpoint()).protocol(Protocol.FORM).build();
                ResumableUpload upload = own.upload("x", new ByteArrayInputStream(new byte[9])).build()) {
            ResupException refused = assertThrows(ResupException.class, upload::run);
            assertEquals(ErrorCode.ARGUMENT, refused.code());
            assertTrue(refused.getMessage().contains("needs the size"), refused.getMessage());
        }
    }

    @Test
    void a_stream_that_ends_early_or_goes_on_is_reported_or_cut() throws IOException {
        StreamOpener ten = () -> new ByteArrayInputStream(new byte[10]);
        ResupException changed = assertThrows(ResupException.class, () -> run(client.upload("short", 11, ten)));
        assertEquals(ErrorCode.SOURCE_CHANGED, changed.code());
        Some.assertStored(receiver, run(client.upload("long", 9, ten)), new byte[9]);
        StreamSource source = new StreamSource(100, ten);
        assertThrows(EOFException.class, () -> source.seek(50, () -> true));
    }

    @Test
    void a_file_in_a_zip_file_arrives() throws IOException {
        byte[] bytes = Some.bytes(300_000);
        URI zip = URI.create("jar:" + directory.resolve("some.zip").toUri());
        try (FileSystem files = FileSystems.newFileSystem(zip, Collections.singletonMap("create", "true"))) {
            Path inside = Files.write(files.getPath("/inside.bin"), bytes);
            UploadResult result = run(client.upload(inside));
            Some.assertStored(receiver, result, bytes);
            assertTrue(receiver.record(result).contains("\"inside.bin\""));
            assertThrows(IllegalArgumentException.class, () -> client.upload("x", bytes).stateFile(inside));
        }
    }

    @Test
    void every_setting_of_an_upload_counts() throws IOException {
        byte[] bytes = Some.bytes(400_000);
        Path state = directory.resolve("state");
        UploadResult result = run(client.upload(Some.file(directory, "settings", bytes.length)).name("other.bin")
            .directory("some/where").contentType("text/plain; charset=utf-8").field("colour", "green").segmentSize(100_000)
            .digest(Digest.FIRST).stateFile(state).rateLimit(1 << 30));
        Some.assertStored(receiver, result, bytes);
        String record = receiver.record(result);
        assertTrue(record.contains("\"other.bin\"") && record.contains("some/where"), record);
        assertFalse(Files.exists(state), "it is removed when the upload is complete");
        UploadResult other = run(client.upload("auto", bytes).automaticSegments().digest(Digest.NONE));
        Some.assertStored(receiver, other, bytes);
    }

    @Test
    void progress_and_states_are_reported_on_the_thread_of_the_run() throws IOException {
        List<String> events = new ArrayList<>();
        List<UploadProgress> numbers = new ArrayList<>();
        Thread here = Thread.currentThread();
        UploadListener listener = new UploadListener() {
            @Override
            public void progress(ResumableUpload upload, UploadProgress now) {
                assertEquals(here, Thread.currentThread());
                numbers.add(now);
            }

            @Override
            public void state(ResumableUpload upload, UploadState state) {
                assertEquals(here, Thread.currentThread());
                events.add(state.toString());
            }

            @Override
            public void complete(ResumableUpload upload, UploadResult result, Throwable failure) {
                events.add("end " + result.size() + " " + failure);
            }
        };
        run(client.upload(Some.file(directory, "events", 2_000_000)).listener(listener).rateLimit(4_000_000));
        assertEquals("[LOCATING, SENDING, VERIFYING, COMPLETE, end 2000000 null]", events.toString());
        assertTrue(numbers.size() >= 3, "several times");
        long before = 0;
        for (UploadProgress now : numbers) {
            assertEquals(2_000_000, now.size());
            assertTrue(now.position() >= before && now.position() <= now.size());
            assertTrue(now.offset() <= now.position());
            before = now.position();
        }
        UploadProgress last = numbers.get(numbers.size() - 1);
        assertEquals(1.0, last.fraction());
        assertEquals(200, last.httpStatus());
    }

    @Test
    void an_upload_can_be_run_again_and_asked_after_its_end() throws IOException {
        ResumableUpload upload = client.upload("again", Some.bytes(1003)).build();
        assertEquals(UploadState.READY, upload.state());
        assertEquals(1003, upload.run().bytesSent());
        assertEquals(1003, upload.run().bytesSkipped());
        upload.close();
        upload.close();
        upload.cancel();
        assertEquals(UploadState.COMPLETE, upload.state());
        assertEquals(1003, upload.progress().position());
        assertThrows(IllegalStateException.class, upload::run);
    }

    @Test
    void uploads_go_on_without_their_client() throws IOException {
        ResumableUploadClient short_lived = ResumableUploadClient.create(receiver.endpoint());
        ResumableUpload.Builder builder = short_lived.upload("orphan", Some.bytes(1001));
        short_lived.close();
        short_lived.close();
        Some.assertStored(receiver, run(builder), Some.bytes(1001));
        assertThrows(IllegalStateException.class, () -> short_lived.upload("late", new byte[1]));
        assertThrows(IllegalStateException.class, () -> short_lived.setRateLimit(1));
    }

    @Test
    void many_run_at_once() throws Exception {
        ExecutorService executor = Executors.newCachedThreadPool();
        List<CompletableFuture<UploadResult>> all = new ArrayList<>();
        List<ResumableUpload> uploads = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            ResumableUpload upload = client.upload("one of many " + i, Some.bytes(500_000 + i)).build();
            uploads.add(upload);
            all.add(upload.runAsync(executor));
        }
        for (int i = 0; i < 16; i++)
            Some.assertStored(receiver, all.get(i).get(), Some.bytes(500_000 + i));
        uploads.forEach(ResumableUpload::close);
        executor.shutdown();
    }

    @Test
    void the_log_is_reported() throws IOException {
        List<String> lines = Collections.synchronizedList(new ArrayList<>());
        try (ResumableUploadClient telling = ResumableUploadClient.builder(receiver.endpoint())
                .log(LogLevel.DEBUG, (level, line) -> lines.add(level + " " + line)).build();
                ResumableUpload upload = telling.upload("日志", Some.bytes(10)).build()) {
            upload.run();
        }
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("INFO ")), lines.toString());
    }
}
