package io.resup;

import java.nio.file.Paths;
import java.util.Arrays;
import javax.swing.JComponent;
import javax.swing.RepaintManager;
import javax.swing.SwingUtilities;

/** Runs a program with a window, and prints where a component is used on a wrong thread. */
public final class ThreadGuard extends RepaintManager {
    private ThreadGuard() {
    }

    @Override
    public void addDirtyRegion(JComponent component, int x, int y, int w, int h) {
        check(component);
        super.addDirtyRegion(component, x, y, w, h);
    }

    @Override
    public synchronized void addInvalidComponent(JComponent component) {
        check(component);
        super.addInvalidComponent(component);
    }

    private static void check(JComponent component) {
        if (!SwingUtilities.isEventDispatchThread())
            new Exception("wrong thread for " + component).printStackTrace();
    }

    /**
     * Runs it.
     *
     * @param arguments  the file for {@link WindowProbe}, the program's class, and its arguments
     * @throws Exception  the program's
     */
    public static void main(String[] arguments) throws Exception {
        RepaintManager.setCurrentManager(new ThreadGuard());
        WindowProbe.start(Paths.get(arguments[0]));
        String[] own = Arrays.copyOfRange(arguments, 2, arguments.length);
        Class.forName(arguments[1]).getMethod("main", String[].class).invoke(null, (Object) own);
    }
}
