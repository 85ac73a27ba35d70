package io.resup;

import java.io.File;
import java.nio.file.FileSystems;
import java.nio.file.Path;

/** Texts on their way to the native side and back: UTF-16, as they are. */
final class Text {
    private Text() {
    }

    static char[] chars(String text) {
        return text.toCharArray();
    }

    /** A text of the native side; null stays so. */
    static String of(char[] chars) {
        return chars == null ? null : new String(chars);
    }

    /**
     * A path of the default file system. Elsewhere than on Windows the path of its URI is taken, which keeps names that
     * are not of this JVM's encoding.
     */
    static char[] path(Path path) {
        if (path.getFileSystem() != FileSystems.getDefault())
            throw new IllegalArgumentException("\"" + path + "\" is not of the default file system; copy it there first");
        return chars(File.separatorChar == '\\' ? path.toAbsolutePath().toString() : path.toUri().getRawPath());
    }
}
