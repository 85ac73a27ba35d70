package io.resup;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;

/**
 * A program with Swing windows, controlled by the keyboard.
 *
 * <p>A key has no effect while the focus moves or a button is disabled, and Java learns of the focus later than the
 * window manager. So a {@link WindowProbe} in the program reports the focus, and a key is pressed until its effect is
 * there. A second press of the same key must have no effect.
 */
final class SwingProgram implements AutoCloseable {
    /** The milliseconds to wait for the effect of a key before it is pressed again. */
    private static final int PATIENCE = 3000;

    private final Screen screen;
    private final Path probe;
    private final Path output;
    private final Process process;

    /** Starts a program whose classes are in this directory. */
    SwingProgram(Screen screen, Path directory, String main, String... arguments) throws IOException {
        this.screen = screen;
        probe = directory.resolve("probe");
        output = directory.resolve("output");
        String path = String.join(":", System.getProperty("resup.test.jar"), System.getProperty("resup.test.classes"),
            directory.toString());
        List<String> command = Child.java(path, Some.words(), ThreadGuard.class.getName(), probe.toString(), main);
        Collections.addAll(command, arguments);
        process = screen.process(command.toArray(new String[0])).redirectOutput(output.toFile()).start();
    }

    /** Returns a property that the probe reports; empty for none. */
    private String get(String key) throws IOException {
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(probe)) {
            properties.load(in);
        } catch (NoSuchFileException early) {
            return "";
        }
        return properties.getProperty(key, "");
    }

    /** Returns the text of the last row of the table. */
    String row() throws IOException {
        return get("row");
    }

    boolean isFocused(String title) throws IOException {
        return get("window").equals(title);
    }

    /** Waits until this window has the focus, and requests it where the window manager does not give it. */
    void awaitFocus(String title) throws Exception {
        for (int i = 0; i < 20; i++) {
            if (Some.comes(PATIENCE, () -> isFocused(title)))
                return;
            screen.tool("search", "--onlyvisible", "--name", "^" + title + "$", "windowactivate");
        }
        throw new AssertionError("the window \"" + title + "\" never had the focus, but \"" + get("window") + "\"");
    }

    /** Presses keys until a condition is true. */
    void press(String keys, String what, Callable<Boolean> condition) throws Exception {
        for (int i = 0; i < 20; i++) {
            screen.tool("key", keys);
            if (Some.comes(PATIENCE, condition))
                return;
        }
        throw new AssertionError("after " + keys + " it never came to this: " + what + "; " + get("window") + ": " + row());
    }

    /** Types into the focused text field until it has this text. */
    void type(String text) throws Exception {
        for (int i = 0; i < 20; i++) {
            screen.tool("key", "ctrl+a");
            screen.tool("type", "--delay", "5", text);
            if (Some.comes(PATIENCE, () -> get("text").equals(text)))
                return;
        }
        throw new AssertionError("\"" + text + "\" was typed, and the text is \"" + get("text") + "\"");
    }

    boolean hasEnded() {
        return !process.isAlive();
    }

    int exit() throws InterruptedException {
        return process.waitFor();
    }

    /** Returns what the program has written to standard output and standard error. */
    String output() throws IOException {
        return new String(Files.readAllBytes(output));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
