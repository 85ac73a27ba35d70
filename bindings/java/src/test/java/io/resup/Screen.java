package io.resup;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;

/** A virtual display with a window manager: Xvfb and openbox. */
final class Screen implements AutoCloseable {
    private static final File NOWHERE = new File("/dev/null");

    private final Process xvfb;
    private final Process manager;
    private final String display;

    Screen() throws Exception {
        // Xvfb chooses a free number. Without -noreset it would reset itself, and disconnect a window manager that is just
        // connecting, whenever an xdotool that is its only client ends.
        xvfb = new ProcessBuilder("Xvfb", "-displayfd", "1", "-noreset", "-screen", "0", "1280x800x24", "-nolisten", "tcp")
            .redirectError(NOWHERE).start();
        display = ":" + new BufferedReader(new InputStreamReader(xvfb.getInputStream())).readLine();
        manager = process("openbox").redirectOutput(NOWHERE).start();
        // A JVM that started earlier would find no window manager, and handle the focus by itself.
        try {
            Some.until("the window manager answers", this::isManaged);
        } catch (Throwable failure) {
            close();
            throw failure;
        }
    }

    private boolean isManaged() throws Exception {
        if (!manager.isAlive())
            throw new IllegalStateException("openbox has ended with " + manager.exitValue());
        return !tool("get_desktop").isEmpty();
    }

    /** Prepares a program that uses this display. */
    ProcessBuilder process(String... command) {
        ProcessBuilder process = new ProcessBuilder(command).redirectErrorStream(true);
        process.environment().put("DISPLAY", display);
        return process;
    }

    /** Runs xdotool and returns its output; empty where it fails. */
    String tool(String... arguments) throws Exception {
        List<String> command = Some.words("xdotool");
        Collections.addAll(command, arguments);
        Process tool = process(command.toArray(new String[0])).start();
        String output = new String(Some.all(tool.getInputStream())).trim();
        return tool.waitFor() == 0 ? output : "";
    }

    /** Saves a picture in the directory of the variable, if there is one. */
    void picture(String name) throws Exception {
        String directory = System.getenv("RESUP_TEST_PICTURES");
        if (directory != null)
            process("import", "-window", "root", directory + "/" + name).start().waitFor();
    }

    @Override
    public void close() {
        manager.destroyForcibly();
        xvfb.destroyForcibly();
    }
}
