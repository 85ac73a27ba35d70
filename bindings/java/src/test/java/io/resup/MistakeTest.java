package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** The likeliest first mistakes in Java, which tests/mistakes.txt lists with what their messages have to say. */
class MistakeTest {
    private static final Path TABLE = Paths.get(System.getProperty("resup.test.examples"), "../../tests/mistakes.txt");
    /** Nobody listens there. */
    private static final String NOWHERE = "http://127.0.0.1:9/";
    @TempDir
    Path directory;

    /** The rows of a place: the words for each mistake. */
    private static Map<String, List<String>> rows(String place) throws IOException {
        Map<String, List<String>> rows = new TreeMap<>();
        for (String line : Files.readAllLines(TABLE, StandardCharsets.UTF_8)) {
            String[] cells = line.split(" \\| ", 3);
            if (cells[0].equals(place))
                rows.put(cells[1], Arrays.asList(cells[2].split(" ; ")));
        }
        return rows;
    }

    private static String of(Class<? extends Throwable> type, Executable mistake) {
        return String.valueOf(assertThrows(type, mistake).getMessage());
    }

    /** Returns what a Java of its own says that looks for the native library in this file. */
    private static String library(String file) throws Exception {
        return Child.start(Some.words("-Dresup.native=" + file), "load").rest();
    }

    private static ResumableUpload running(ResumableUploadClient client, ExecutorService executor) throws Exception {
        ResumableUpload upload = client.upload("x", new byte[1]).build();
        CompletableFuture<UploadResult> run = upload.runAsync(executor);
        assertTrue(Some.comes(30_000, () -> upload.state() == UploadState.WAITING), run.toString());
        return upload;
    }

    private String message(String mistake) throws Exception {
        ExecutorService executor = Executors.newCachedThreadPool();
        try (ResumableUploadClient client = ResumableUploadClient.builder(NOWHERE)
                .retryBackoff(Duration.ofHours(1), Duration.ofHours(1)).build()) {
            return message(mistake, client, executor);
        } finally {
            executor.shutdown();
        }
    }

    private String message(String mistake, ResumableUploadClient client, ExecutorService executor) throws Exception {
        ResumableUpload.Builder builder = client.upload("x", new byte[1]);
        switch (mistake) {
        case "a URL of FTP":
            return of(IllegalArgumentException.class, () -> ResumableUploadClient.create("ftp://example.org/"));
        case "a URL without http://":
            return of(IllegalArgumentException.class, () -> ResumableUploadClient.create("127.0.0.1:8080/upload"));
        case "a file that there is not":
            return of(ResupException.class, () -> client.upload(directory.resolve("missing")));
        case "a directory":
            return of(ResupException.class, () -> client.upload(directory));
        case "a path that is null":
            return of(NullPointerException.class, () -> client.upload((Path) null));
        case "a listener that is null":
            return of(NullPointerException.class, () -> builder.listener(null));
        case "a limit less than 0":
            return of(IllegalArgumentException.class, () -> builder.rateLimit(-1));
        case "a time of 0":
            return of(IllegalArgumentException.class,
                () -> ResumableUploadClient.builder(NOWHERE).connectTimeout(Duration.ZERO));
        case "a builder that was used":
            builder.build().close();
            return of(IllegalStateException.class, builder::build);
        case "a run of a closed upload":
            ResumableUpload closed = builder.build();
            closed.close();
            return of(IllegalStateException.class, closed::run);
        case "an upload of a closed client":
            client.close();
            return of(IllegalStateException.class, () -> client.upload("x", new byte[1]));
        case "a second run at once":
            try (ResumableUpload upload = running(client, executor)) {
                return of(IllegalStateException.class, upload::run);
            }
        case "a library that is none":
            return library(Files.write(directory.resolve("none.so"), new byte[] {1, 2, 3}).toString());
        case "a library that there is not":
            return library("/nowhere/libresup_jni.so");
        case "a port where nobody listens":
            try (ResumableUploadClient hasty = ResumableUploadClient.builder(refusing()).retryLimit(0).build();
                    ResumableUpload upload = hasty.upload("x", new byte[1]).build()) {
                return of(ResupException.class, upload::run);
            }
        default:
            throw new AssertionError("nothing makes the mistake \"" + mistake + "\"");
        }
    }

    /** Returns the URL of a port that is free again. */
    private static String refusing() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return "http://127.0.0.1:" + socket.getLocalPort() + "/upload";
        }
    }

    @Test
    void each_first_mistake_is_told_with_its_way_out() throws Exception {
        List<String> never = rows("never").get("any");
        Map<String, List<String>> rows = rows("Java");
        assertFalse(rows.isEmpty());
        StringBuilder wrong = new StringBuilder();
        for (Map.Entry<String, List<String>> row : rows.entrySet()) {
            String message = message(row.getKey());
            List<String> lacks = row.getValue().stream().filter(word -> !message.contains(word))
                .collect(Collectors.toList());
            List<String> has = never.stream().filter(message::contains).collect(Collectors.toList());
            if (!lacks.isEmpty() || !has.isEmpty())
                wrong.append(row.getKey() + ": it lacks " + lacks + " and has " + has + ":\n  " + message + "\n");
        }
        assertEquals("", wrong.toString());
    }

    @Test
    void an_upload_tells_why_it_waits() throws Exception {
        ExecutorService executor = Executors.newCachedThreadPool();
        try (ResumableUploadClient client = ResumableUploadClient.builder(refusing())
                .retryBackoff(Duration.ofHours(1), Duration.ofHours(1)).build();
                ResumableUpload idle = client.upload("x", new byte[1]).build()) {
            ResumableUpload upload = running(client, executor);
            assertEquals(Optional.empty(), idle.failure());
            String why = upload.failure().get();
            assertTrue(why.startsWith("no connection to 127.0.0.1:"), why);
            upload.cancel();
            assertTrue(Some.comes(30_000, () -> upload.state() == UploadState.CANCELLED));
            assertEquals(Optional.empty(), upload.failure());
            upload.close();
            assertEquals(Optional.empty(), upload.failure());
        } finally {
            executor.shutdown();
        }
    }
}
