package io.resup;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Tests against one receiver, with a client of it and a directory for files. */
abstract class WithReceiver {
    static Receiver receiver;
    static ResumableUploadClient client;
    static ExecutorService executor;
    @TempDir
    Path directory;

    @BeforeAll
    static void startReceiver() throws IOException {
        receiver = new Receiver();
        client = ResumableUploadClient.create(receiver.endpoint());
        executor = Executors.newCachedThreadPool();
    }

    @AfterAll
    static void stopReceiver() throws IOException {
        executor.shutdown();
        client.close();
        receiver.close();
    }

    /** An upload that takes some seconds. */
    ResumableUpload.Builder slow(String name) throws IOException {
        return client.upload(Some.file(directory, name, 4_000_000)).rateLimit(1_000_000);
    }

    static Throwable cause(CompletableFuture<UploadResult> future) {
        return assertThrows(ExecutionException.class, future::get).getCause();
    }
}
