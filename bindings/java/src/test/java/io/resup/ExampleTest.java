package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples compile for Java 8 without a warning and do what they say. */
class ExampleTest {
    private static final String JAR = System.getProperty("resup.test.jar");
    private static final Path EXAMPLES = Paths.get(System.getProperty("resup.test.examples"));
    @TempDir
    Path directory;

    private void compiles(String name) throws Exception {
        List<String> javac = Some.words(Paths.get(System.getProperty("java.home"), "bin", "javac").toString(), "--release",
            "8", "-Xlint:all,-options", "-Werror", "-cp", JAR, "-d", directory.toString(), EXAMPLES.resolve(name).toString());
        Child child = Child.command(javac);
        assertEquals("", child.rest());
        assertEquals(0, child.exit());
    }

    @Test
    void upload_sends_files_side_by_side_and_tells_of_those_that_fail() throws Exception {
        compiles("Upload.java");
        Path one = Some.file(directory, "one", 3_000_017);
        Path two = Some.file(directory, "two", 0);
        Path missing = directory.resolve("missing");
        try (Receiver receiver = new Receiver()) {
            // The JVM compiles the source, as the comment at its beginning says.
            List<String> command = Child.java(JAR, Some.words(), EXAMPLES.resolve("Upload.java").toString(),
                receiver.endpoint(), one.toString(), two.toString(), missing.toString());
            Child child = Child.command(command);
            String output = child.rest();
            assertEquals(1, child.exit(), output);
            for (Path file : new Path[] {one, two}) {
                String end = ": complete, id=(\\w+), blake3:[0-9a-f]{64}\n";
                Matcher line = Pattern.compile(Pattern.quote(file.toString()) + end).matcher(output);
                assertTrue(line.find(), output);
                Path stored = receiver.stored(line.group(1));
                assertTrue(Arrays.equals(Files.readAllBytes(file), Files.readAllBytes(stored)));
            }
            assertTrue(output.contains(missing + ": the file \"" + missing + "\" does not exist"), output);
        }
    }

    /** A name that the locale cannot represent is no path. */
    @Test
    void upload_ends_also_when_an_argument_is_no_path() throws Exception {
        Path one = Some.file(directory, "one", 17);
        try (Receiver receiver = new Receiver()) {
            List<String> command = Some.words("env", "LC_ALL=C");
            command.addAll(Child.java(JAR, Some.words("-Dsun.jnu.encoding=ANSI_X3.4-1968"),
                EXAMPLES.resolve("Upload.java").toString(), receiver.endpoint(), one.toString(), "\u62a5"));
            Child child = Child.command(command);
            String output = child.rest();
            assertEquals(1, child.exit(), output);
            assertTrue(output.contains(one + ": complete, id="), output);
            assertTrue(output.contains("unmappable characters"), output);
        }
    }

    @Test
    void the_readmes_program_uploads() throws Exception {
        String readme = new String(Files.readAllBytes(EXAMPLES.resolve("../../README.md")), StandardCharsets.UTF_8);
        String code = readme.split("```java\n", 2)[1].split("```", 2)[0];
        Path file = Some.file(directory, "video.mp4", 3_000_000);
        try (Receiver receiver = new Receiver()) {
            code = code.replace("http://127.0.0.1:8080/upload", receiver.endpoint()).replace("video.mp4", file.toString());
            Path source = directory.resolve("Hello.java");
            Files.write(source, code.getBytes(StandardCharsets.UTF_8));
            compiles(source.toString());
            String output = Child.command(Child.java(JAR, Some.words(), source.toString())).rest();
            assertTrue(output.contains("complete; 0 bytes were there before"), output);
            Files.delete(file);
            output = Child.command(Child.java(JAR, Some.words(), source.toString())).rest();
            assertTrue(output.contains("SOURCE_NOT_FOUND: ") && output.contains("does not exist"), output);
        }
    }

    private static int count(Receiver receiver, String what) throws Exception {
        return receiver.stderr().split(what, -1).length - 1;
    }

    @Test
    void the_window_uploads_pauses_goes_on_and_cancels_on_the_right_thread() throws Exception {
        compiles("UploadWindow.java");
        Path small = Some.file(directory, "small.jpg", 3_000_000);
        Path large = directory.resolve("large.mp4");
        try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
            // Sparse, and longer than what is sent during the test.
            file.setLength(50_000_000_000L);
        }
        try (Receiver receiver = new Receiver(); Screen screen = new Screen();
                SwingProgram program = new SwingProgram(screen, directory, "UploadWindow", receiver.endpoint(),
                    small.toString(), directory.resolve("missing.txt").toString())) {
            program.awaitFocus("Uploads");
            Some.until("the small file is there", () -> receiver.stderr().contains("to=3000000 "));
            program.press("alt+a", "it asks for a file", () -> program.isFocused("Open"));
            program.type(large.toString());
            program.press("Return", "the choice is made", () -> program.isFocused("Uploads"));
            Some.until("the large file is asked for", () -> count(receiver, "action=\"locate\"") == 2);
            Some.until("it is being sent", () -> program.row().contains(" of 50000.0 MB"));
            screen.picture("swing-sending.png");
            int sends = count(receiver, "action=\"send\"");
            program.press("alt+p", "it is paused", () -> program.row().startsWith("Paused"));
            Some.until("a send is interrupted", () -> count(receiver, "action=\"send\"") == sends + 1);
            screen.picture("swing-paused.png");
            program.press("alt+r", "it goes on", () -> program.row().contains(" of 50000.0 MB"));
            Some.until("it asks the server again", () -> count(receiver, "action=\"locate\"") == 3);
            program.press("alt+c", "it is cancelled", () -> program.row().startsWith("Cancelled"));
            Some.until("a send is cancelled", () -> count(receiver, "action=\"send\"") == sends + 2);
            screen.picture("swing-cancelled.png");
            program.press("alt+g", "it begins again", () -> count(receiver, "action=\"locate\"") == 4);
            program.press("alt+F4", "closing the window ends the program", program::hasEnded);
            assertEquals(0, program.exit());
            assertEquals("", program.output());
        }
    }
}
