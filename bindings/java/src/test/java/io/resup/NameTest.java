package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Texts of all scripts, to the server and back. */
class NameTest extends WithReceiver {
    private static void arrives(String name) throws IOException {
        try (ResumableUpload upload = client.upload(name, Some.bytes(name.hashCode() & 1023)).build()) {
            String record = receiver.record(upload.run());
            assertTrue(record.contains("\"" + name.replace("\\", "\\\\").replace("\"", "\\\"") + "\""), record);
        }
    }

    @Test
    void names_of_all_scripts_arrive() throws IOException {
        arrives("报告 2026.pdf");
        arrives("😀👩‍👩‍👧.jpg");
        arrives("ünïcode \"quoted\" %22 & more; = .txt");
        arrives("مرحبا");
        arrives("é composed, é decomposed");
    }

    @Test
    void what_is_no_text_is_refused_and_not_damaged() {
        for (String half : new String[] {"\ud83d", "a\ud83d.txt", "\ude00\ud83d"}) {
            IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> client.upload(half, new byte[1]));
            assertTrue(refused.getMessage().contains("surrogate U+D"), refused.getMessage());
            assertThrows(IllegalArgumentException.class, () -> client.upload("x", new byte[1]).field("f", half));
        }
        IllegalArgumentException nul =
            assertThrows(IllegalArgumentException.class, () -> client.upload("a\0b", new byte[1]));
        assertTrue(nul.getMessage().contains("NUL"), nul.getMessage());
    }

    @Test
    void nul_and_emoji_come_back_in_messages() {
        IllegalArgumentException refused =
            assertThrows(IllegalArgumentException.class, () -> ResumableUploadClient.create("no\0URL 😀"));
        assertTrue(refused.getMessage().contains("no\0URL 😀"), refused.getMessage());
    }

    @Test
    void texts_of_a_server_come_back_as_they_are() throws IOException {
        try (ResumableUpload upload = client.upload("目录里的 😀", Some.bytes(77)).directory("目录 😀").build()) {
            String record = receiver.record(upload.run());
            assertTrue(record.contains("目录 😀"), record);
        }
    }

    /** Whatever the locale of this JVM is: its own strings may not be able to name the file. */
    @Test
    void a_file_keeps_the_name_that_the_system_has() throws Exception {
        made("$(printf '\\346\\212\\245\\345\\221\\212 \\360\\237\\230\\200 100%%25.txt')");
        try (ResumableUpload upload = client.upload(only()).build()) {
            String record = receiver.record(upload.run());
            assertTrue(record.contains("\"报告 😀 100%25.txt\""), record);
        }
    }

    @Test
    void a_file_whose_name_is_no_utf8_goes_under_another_name() throws Exception {
        made("$(printf 'latin-\\344.txt')");
        try (ResumableUpload upload = client.upload(only()).build()) {
            ResupException refused = assertThrows(ResupException.class, upload::run);
            assertEquals(ErrorCode.ARGUMENT, refused.code());
            assertTrue(refused.getMessage().contains("is not UTF-8; set the name"), refused.getMessage());
        }
        try (ResumableUpload upload = client.upload(only()).name("latin-ä.txt").build()) {
            String record = receiver.record(upload.run());
            assertTrue(record.contains("\"latin-ä.txt\""), record);
        }
    }

    private void made(String name) throws Exception {
        String script = "cd \"$1\" && echo content > \"" + name + "\"";
        Process shell = new ProcessBuilder("sh", "-c", script, "sh", directory.toString()).inheritIO().start();
        assertEquals(0, shell.waitFor());
    }

    private Path only() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.findAny().get();
        }
    }
}
