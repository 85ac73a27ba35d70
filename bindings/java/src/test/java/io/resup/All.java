package io.resup;

import java.io.ByteArrayInputStream;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Uses a bit of everything, for a JVM that checks how the native library uses it. */
final class All {
    private All() {
    }

    static void run(String endpoint, Path directory) throws Exception {
        byte[] bytes = Some.bytes(3_000_000);
        Path file = Files.write(directory.resolve("all"), bytes);
        try (ResumableUploadClient client = ResumableUploadClient.builder(endpoint).log(LogLevel.DEBUG, (level, line) -> {
        }).header("x-some", "thing").signingSecret(new byte[] {1}).build()) {
            UploadListener listener = new UploadListener() {
            };
            try (ResumableUpload upload = client.upload(file).listener(listener).rateLimit(3_000_000).build()) {
                upload.run();
            }
            try (SeekableByteChannel channel = Files.newByteChannel(file);
                    ResumableUpload upload = client.upload("文 😀", channel).build()) {
                upload.run();
            }
            StreamOpener opener = () -> new ByteArrayInputStream(bytes);
            try (ResumableUpload upload = client.upload("stream", bytes.length, opener).build()) {
                upload.run();
            }
            try (ResumableUpload upload = client.upload("broken", 5, () -> {
                throw new java.io.IOException("no");
            }).build()) {
                upload.run();
            } catch (java.io.IOException expected) {
                // The exception of the source.
            }
            try (ResumableUpload upload = client.upload("thrown", bytes).listener(new UploadListener() {
                @Override
                public void state(ResumableUpload self, UploadState state) {
                    throw new IllegalArgumentException("thrown");
                }
            }).build()) {
                upload.run();
            } catch (IllegalArgumentException expected) {
                // The exception of the listener.
            }
            try {
                client.upload("\ud800", bytes);
            } catch (IllegalArgumentException expected) {
                // Half a surrogate pair is no text.
            }
            ExecutorService executor = Executors.newCachedThreadPool();
            try (ResumableUpload upload = client.upload("async", Some.bytes(3_000_003)).rateLimit(100).build()) {
                CompletableFuture<UploadResult> future = upload.runAsync(executor);
                while (upload.state() != UploadState.SENDING)
                    Thread.sleep(1);
                upload.pause();
                upload.resume();
                future.cancel(true);
                executor.shutdown();
                executor.awaitTermination(1, java.util.concurrent.TimeUnit.MINUTES);
            }
        }
    }
}
