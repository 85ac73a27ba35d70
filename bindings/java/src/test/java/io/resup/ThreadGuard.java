package io.resup;

import javax.swing.JComponent;
import javax.swing.RepaintManager;
import javax.swing.SwingUtilities;

/** Runs a program with a window, and tells of every component that is touched on a wrong thread. */
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
     * @param arguments  the program's class, and its own
     * @throws Exception  the program's
     */
    public static void main(String[] arguments) throws Exception {
        RepaintManager.setCurrentManager(new ThreadGuard());
        String[] own = java.util.Arrays.copyOfRange(arguments, 1, arguments.length);
        Class.forName(arguments[0]).getMethod("main", String[].class).invoke(null, (Object) own);
    }
}
