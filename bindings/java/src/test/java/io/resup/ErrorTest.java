package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Failures and their exceptions. */
class ErrorTest {
    @TempDir
    Path directory;

    private static ResupException failure(ErrorCode code, Executable executable) {
        ResupException failure = assertThrows(ResupException.class, executable);
        assertEquals(code, failure.code(), failure.getMessage());
        return failure;
    }

    private static String refused(Executable executable) {
        return assertThrows(IllegalArgumentException.class, executable).getMessage();
    }

    private static ResumableUploadClient hasty(String endpoint) {
        return ResumableUploadClient.builder(endpoint).retryLimit(0).proxy("none").build();
    }

    private static void run(ResumableUploadClient client) throws IOException {
        try (ResumableUpload upload = client.upload("some", new byte[100_000]).build()) {
            upload.run();
        }
    }

    @Test
    void sources_that_are_none_are_reported_at_once() throws IOException {
        try (ResumableUploadClient client = hasty("http://127.0.0.1:9/")) {
            Path missing = directory.resolve("missing");
            ResupException failure = failure(ErrorCode.SOURCE_NOT_FOUND, () -> client.upload(missing));
            assertEquals("the file \"" + missing + "\" does not exist", failure.getMessage());
            assertFalse(failure.isRetryable());
            assertEquals(0, failure.httpStatus());
            failure = failure(ErrorCode.SOURCE_NOT_A_FILE, () -> client.upload(directory));
            assertEquals("\"" + directory + "\" is not a regular file but a directory", failure.getMessage());
        }
    }

    @Test
    void what_is_no_file_in_a_zip_file_is_reported_at_once_too() throws IOException {
        URI zip = URI.create("jar:" + directory.resolve("some.zip").toUri());
        try (ResumableUploadClient client = hasty("http://127.0.0.1:9/");
                FileSystem files = FileSystems.newFileSystem(zip, Collections.singletonMap("create", "true"))) {
            Path inside = Files.createDirectory(files.getPath("/directory"));
            ResupException failure = failure(ErrorCode.SOURCE_NOT_A_FILE, () -> client.upload(inside));
            assertEquals("\"/directory\" is not a regular file", failure.getMessage());
            failure(ErrorCode.SOURCE_NOT_A_FILE, () -> client.upload(files.getPath("/")));
            assertThrows(NoSuchFileException.class, () -> client.upload(files.getPath("/missing")));
        }
    }

    @Test
    void a_file_whose_name_cannot_be_one_is_no_wrong_argument() throws IOException {
        try (ResumableUploadClient client = hasty("http://127.0.0.1:9/")) {
            ResupException failure = failure(ErrorCode.ARGUMENT, () -> client.upload(new File("a\0b")));
            assertTrue(failure.getMessage().contains("Nul character"), failure.getMessage());
        }
    }

    @Test
    void a_file_that_is_removed_meanwhile_is_reported() throws IOException {
        try (ResumableUploadClient client = hasty("http://127.0.0.1:9/")) {
            Path file = Some.file(directory, "removed", 10);
            try (ResumableUpload upload = client.upload(file).build()) {
                Files.delete(file);
                failure(ErrorCode.SOURCE_NOT_FOUND, upload::run);
                assertEquals(UploadState.FAILED, upload.state());
            }
        }
    }

    @Test
    void nobody_who_listens_is_retryable() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = socket.getLocalPort();
        }
        try (ResumableUploadClient client = hasty("http://127.0.0.1:" + port + "/upload")) {
            ResupException failure = failure(ErrorCode.CONNECT, () -> run(client));
            assertTrue(failure.isRetryable());
            assertTrue(failure.getMessage().contains("127.0.0.1:" + port), failure.getMessage());
        }
    }

    @Test
    void a_server_says_in_its_own_words_why_it_refuses() throws Exception {
        try (Receiver receiver = new Receiver("--max-size", "50000");
                ResumableUploadClient client = hasty(receiver.endpoint())) {
            ResupException failure = failure(ErrorCode.TOO_LARGE, () -> run(client));
            assertEquals(413, failure.httpStatus());
            assertTrue(failure.getMessage().endsWith(failure.serverMessage().get()), failure.getMessage());
        }
    }

    @Test
    void logins_are_made_or_refused() throws Exception {
        try (Receiver receiver = new Receiver()) {
            receiver.admin("geheim 😀\n", "user", "add", "joe");
            try (ResumableUploadClient client = hasty(receiver.endpoint())) {
                assertEquals(401, failure(ErrorCode.NOT_ALLOWED, () -> run(client)).httpStatus());
            }
            try (ResumableUploadClient client = ResumableUploadClient.builder(receiver.endpoint())
                    .basicAuth("joe", "geheim 😀").build()) {
                run(client);
            }
            String login = receiver.endpoint().replace("/upload", "/login");
            try (ResumableUploadClient client = ResumableUploadClient.builder(receiver.endpoint()).loginForm(login)
                    .loginField("user", "joe").loginField("password", "geheim 😀").build()) {
                run(client);
            }
        }
    }

    @Test
    void signed_forms_are_accepted_by_who_knows_the_secret() throws Exception {
        Path secret = Files.write(directory.resolve("secret"), new byte[] {'g', 'e', 'h', 'e', 'i', 'm'});
        Receiver receiver = new Receiver("--signing-secret-file", secret.toString());
        try (ResumableUploadClient client = hasty(receiver.endpoint())) {
            failure(ErrorCode.NOT_ALLOWED, () -> run(client));
        }
        try (ResumableUploadClient client = ResumableUploadClient.builder(receiver.endpoint())
                .signingSecret(Files.readAllBytes(secret)).signingAlgorithm(SigningAlgorithm.HMAC_SHA256).build()) {
            run(client);
        } finally {
            receiver.close();
        }
    }

    @Test
    void settings_that_cannot_be_used_are_reported_with_the_reason() throws IOException {
        assertTrue(refused(() -> ResumableUploadClient.create("ftp://example.org/")).contains("\"ftp://example.org/\""));
        ResumableUploadClient.Builder client = ResumableUploadClient.builder("https://127.0.0.1:9/");
        assertEquals("connect timeout must be more than 0 and at most a year, not 0 ms",
            refused(() -> client.connectTimeout(Duration.ZERO)));
        refused(() -> client.connectTimeout(Duration.ofSeconds(-1)));
        refused(() -> client.responseTimeout(Duration.ofSeconds(Long.MAX_VALUE)));
        refused(() -> client.stallTimeout(Duration.ofDays(1000)));
        refused(() -> client.retryTimeout(Duration.ofDays(1000)));
        assertEquals("retryTimeout must not be less than 0, but is PT-5S",
            refused(() -> client.retryTimeout(Duration.ofSeconds(-5))));
        // Shorter than a millisecond, but not 0.
        client.connectTimeout(Duration.ofNanos(1));
        refused(() -> client.retryBackoff(Duration.ofSeconds(2), Duration.ofSeconds(1)));
        refused(() -> client.retryLimit(-1));
        refused(() -> client.rateLimit(-1));
        refused(() -> client.user(""));
        refused(() -> client.userAgent("ü"));
        refused(() -> client.loginForm("https://elsewhere.example/"));
        refused(() -> client.basicAuth("a:b", ""));
        refused(() -> client.bearerToken(""));
        refused(() -> client.header("Host", "x"));
        refused(() -> client.cookie("a=b", ""));
        refused(() -> client.proxy("gopher://x"));
        refused(() -> client.noProxy("\n"));
        refused(() -> client.caPem("nothing"));
        refused(() -> client.dialect("{"));
        refused(() -> client.signingSecret(new byte[0]));
        assertTrue(refused(() -> client.caFile(directory.resolve("no"))).contains(directory.resolve("no").toString()));
        refused(() -> client.clientCertificate(directory.resolve("no"), directory.resolve("no")));
        client.trust(Trust.BUNDLED).tlsVerify(false).locateMethod(LocateMethod.GET).filenameStyle(FilenameStyle.RFC8187)
            .dialect("plain").protocol(Protocol.TUS)
            .noProxy("localhost").proxy("socks5h://joe:secret@127.0.0.1:1080").retryTimeout(Duration.ofDays(1));
        ResumableUploadClient made = client.build();
        assertThrows(IllegalStateException.class, client::build);
        assertThrows(IllegalStateException.class, () -> client.user("x"));
        ResumableUpload.Builder upload = made.upload("x", new byte[1]);
        refused(() -> upload.name("a/b"));
        refused(() -> upload.directory("\n"));
        refused(() -> upload.contentType("none"));
        refused(() -> upload.field("action", "x"));
        refused(() -> upload.segmentSize(0));
        refused(() -> upload.rateLimit(-1));
        refused(() -> made.upload("x", -1, () -> null));
        refused(() -> upload.parts("{\"part_size\": 0}"));
        ResumableUpload.Builder parted = made.upload("x", new byte[1]).parts("{\"part_size\": 1, "
            + "\"parts\": [\"http://127.0.0.1:1/1?s\", \"http://127.0.0.1:1/2?s\"], \"complete\": \"http://127.0.0.1:1/c?s\"}");
        try (ResumableUpload built = parted.build()) {
            ResupException unsent = assertThrows(ResupException.class, built::run);
            assertTrue(unsent.getMessage().contains("have 2 URLs, and the file of 1 bytes has 1 parts"), unsent.getMessage());
        }
        upload.digestAlgorithm(DigestAlgorithm.SHA256);
        try (ResumableUpload built = upload.build()) {
            ResupException unsent = assertThrows(ResupException.class, built::run);
            assertEquals(ErrorCode.ARGUMENT, unsent.code());
            assertTrue(unsent.getMessage().contains("protocol tus"), unsent.getMessage());
        }
        assertThrows(IllegalStateException.class, upload::build);
        assertThrows(NullPointerException.class, () -> made.upload(null, new byte[1]));
        assertThrows(NullPointerException.class, () -> ResumableUploadClient.create(null));
        made.close();
    }

    @Test
    void what_is_null_where_it_must_not_be_is_a_null_pointer_exception() throws IOException {
        try (ResumableUploadClient client = hasty("http://127.0.0.1:9/")) {
            assertThrows(NullPointerException.class, () -> client.upload("x", (byte[]) null));
            assertThrows(NullPointerException.class, () -> client.upload((Path) null));
            assertThrows(NullPointerException.class, () -> client.upload("x", new byte[1]).listener(null));
            assertThrows(NullPointerException.class, () -> client.upload("x", new byte[1]).field("a", null));
            assertThrows(NullPointerException.class,
                () -> ResumableUploadClient.builder("http://127.0.0.1:9/").signingSecret(null));
        }
    }
}
