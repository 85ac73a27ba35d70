package io.resup;

import java.awt.Component;
import java.awt.Container;
import java.awt.Dialog;
import java.awt.Frame;
import java.awt.KeyboardFocusManager;
import java.awt.Window;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Properties;
import javax.swing.JTable;
import javax.swing.Timer;
import javax.swing.text.JTextComponent;

/**
 * Reports in a file of properties, whenever they change: the title of the focused window ({@code window}), the text of the
 * focused text field ({@code text}), the last cell of a table ({@code row}).
 */
final class WindowProbe {
    private final Path file;
    private final Timer timer = new Timer(20, event -> look());
    private Properties written = new Properties();
    private boolean shown;

    private WindowProbe(Path file) {
        this.file = file;
    }

    static void start(Path file) {
        new WindowProbe(file).timer.start();
    }

    private void look() {
        Properties now = new Properties();
        KeyboardFocusManager focus = KeyboardFocusManager.getCurrentKeyboardFocusManager();
        Component owner = focus.getFocusOwner();
        if (owner != null)
            now.setProperty("window", title(focus.getFocusedWindow()));
        if (owner instanceof JTextComponent)
            now.setProperty("text", ((JTextComponent) owner).getText());
        boolean displayable = false;
        for (Frame frame : Frame.getFrames()) {
            displayable |= frame.isDisplayable();
            addRow(frame, now);
        }
        if (!now.equals(written))
            write(now);
        // A running timer would keep a program without windows from ending.
        if (shown && !displayable)
            timer.stop();
        shown |= displayable;
    }

    private static String title(Window window) {
        return window instanceof Frame ? ((Frame) window).getTitle()
            : window instanceof Dialog ? ((Dialog) window).getTitle() : "";
    }

    private static void addRow(Container container, Properties now) {
        for (Component component : container.getComponents())
            if (component instanceof JTable && ((JTable) component).getRowCount() > 0) {
                JTable table = (JTable) component;
                now.setProperty("row", table.getValueAt(table.getRowCount() - 1, table.getColumnCount() - 1).toString());
            } else if (component instanceof Container) {
                addRow((Container) component, now);
            }
    }

    private void write(Properties now) {
        Path half = file.resolveSibling(file.getFileName() + ".half");
        try {
            try (OutputStream out = Files.newOutputStream(half)) {
                now.store(out, null);
            }
            Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        written = now;
    }
}
