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
 * A program with windows of Swing, used by its keyboard.
 *
 * <p>A key that is pressed while the focus moves, or before a button is enabled, has no effect, and a window that the
 * window manager calls active is not focused in Java yet. So a {@link WindowProbe} in the program says where the focus
 * is, and a key is pressed until its effect is there. A second press of the same key must do nothing.
 */
final class SwingProgram implements AutoCloseable {
    /** How long the effect of a key may take before it is pressed again. */
    private static final int PATIENCE = 3000;

    private final Screen screen;
    private final Path probe;
    private final Path output;
    private final Process process;

    /** Starts this class, whose files are in the directory. */
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

    /** What the probe says; empty for what it does not say. */
    private String get(String key) throws IOException {
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(probe)) {
            properties.load(in);
        } catch (NoSuchFileException early) {
            return "";
        }
        return properties.getProperty(key, "");
    }

    /** What the last row of the table says. */
    String row() throws IOException {
        return get("row");
    }

    boolean isFocused(String title) throws IOException {
        return get("window").equals(title);
    }

    /** Waits until this window has the focus, and asks for it where nobody gives it. */
    void awaitFocus(String title) throws Exception {
        for (int i = 0; i < 20; i++) {
            if (Some.comes(PATIENCE, () -> isFocused(title)))
                return;
            screen.tool("search", "--onlyvisible", "--name", "^" + title + "$", "windowactivate");
        }
        throw new AssertionError("the window \"" + title + "\" never had the focus, but \"" + get("window") + "\"");
    }

    /** Presses keys until this is so. */
    void press(String keys, String what, Callable<Boolean> so) throws Exception {
        for (int i = 0; i < 20; i++) {
            screen.tool("key", keys);
            if (Some.comes(PATIENCE, so))
                return;
        }
        throw new AssertionError("after " + keys + " it never came to this: " + what + "; " + get("window") + ": " + row());
    }

    /** Types into the focused text field until this is its text. */
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

    /** What it has written to standard output and standard error. */
    String output() throws IOException {
        return new String(Files.readAllBytes(output));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
