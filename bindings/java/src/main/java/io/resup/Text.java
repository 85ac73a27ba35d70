package io.resup;

import java.io.File;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Objects;

/** Strings and paths as arrays of UTF-16 code units, as the native library takes and returns them. */
final class Text {
    private Text() {
    }

    static char[] chars(String text) {
        return Objects.requireNonNull(text, "the text must not be null").toCharArray();
    }

    /** Converts a text of the native library; null stays null. */
    static String of(char[] chars) {
        return chars == null ? null : new String(chars);
    }

    /**
     * Converts a path of the default file system. Except on Windows it becomes the path of a URI, which keeps names that
     * this JVM's encoding cannot represent.
     *
     * @throws IllegalArgumentException  the path is of another file system
     */
    static char[] path(Path path) {
        Objects.requireNonNull(path, "the path must not be null");
        if (path.getFileSystem() != FileSystems.getDefault())
            throw new IllegalArgumentException("\"" + path + "\" is not of the default file system; copy it there first");
        return chars(File.separatorChar == '\\' ? path.toAbsolutePath().toString() : path.toUri().getRawPath());
    }
}
