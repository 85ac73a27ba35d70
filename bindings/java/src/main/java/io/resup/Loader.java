package io.resup;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.UserPrincipal;

/** Loads the native library. */
final class Loader {
    /** The system property that names the file of the library. */
    private static final String FILE = "resup.native";
    /** The system property that names the directory below which the library is unpacked. */
    private static final String DIRECTORY = "resup.tmpdir";
    private static final String PREFIX = "resup-native-";
    /**
     * The age in milliseconds from which an unpacked library is a leftover: of a JVM that was killed, or of any JVM on
     * Windows, where a loaded file cannot be removed.
     */
    private static final long LEFTOVER_AGE = 3_600_000;

    private static final Platform PLATFORM =
        Platform.of(System.getProperty("os.name", "?"), System.getProperty("os.arch", "?"), Musl.isUsed());
    private static boolean loaded;

    private Loader() {
    }

    /**
     * Loads the library, unless it is loaded.
     *
     * @throws UnsatisfiedLinkError  it cannot be loaded; the message says why and what to do
     */
    static synchronized void load() {
        if (loaded)
            return;
        Path file = findFile();
        if (file != null)
            load(file, false);
        else
            unpack();
        String version = Text.of(Native.version());
        if (!version.equals(Native.VERSION))
            throw failure("the native library " + (file == null ? "in the jar" : file) + " has version " + version
                + ", and these classes need " + Native.VERSION + ": take both from one release", null);
        loaded = true;
    }

    /** Finds the file by the property or in the library path; null for none. */
    private static Path findFile() {
        String own = System.getProperty(FILE);
        try {
            if (own != null)
                return Paths.get(own).toAbsolutePath();
        } catch (InvalidPathException e) {
            throw failure("the native library " + own + " cannot be loaded: " + e.getMessage(), e);
        }
        for (String directory : System.getProperty("java.library.path", "").split(File.pathSeparator)) {
            Path file = fileIn(directory);
            if (file != null)
                return file;
        }
        return null;
    }

    /** Returns the file of the library in this directory; null for none. */
    private static Path fileIn(String directory) {
        try {
            Path file = Paths.get(directory, PLATFORM.library).toAbsolutePath();
            return !directory.isEmpty() && Files.isRegularFile(file) ? file : null;
        } catch (InvalidPathException noDirectory) {
            // The PATH of Windows may contain quotes, or blanks at the ends.
            return null;
        }
    }

    private static void load(Path file, boolean unpacked) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError error) {
            throw failure(explain(String.valueOf(error.getMessage()), file.toString(), unpacked), error);
        }
    }

    private static void unpack() {
        String below = System.getProperty(DIRECTORY, System.getProperty("java.io.tmpdir", "."));
        try (InputStream library = Loader.class.getResourceAsStream(PLATFORM.resource())) {
            if (library == null)
                throw failure(missing(), null);
            // The name is random. Only the owner may enter it; on Windows, everybody who may enter the parent.
            Path parent = Paths.get(below);
            Path directory = Files.createTempDirectory(parent, PREFIX);
            Path file = directory.resolve(PLATFORM.library);
            try {
                removeLeftovers(parent, Files.getOwner(directory));
                Files.copy(library, file);
                load(file.toAbsolutePath(), true);
            } finally {
                remove(directory);
            }
        } catch (IOException | InvalidPathException e) {
            throw failure("the native library cannot be unpacked below " + below + " (" + e + "): name another directory "
                + "with -D" + DIRECTORY + "=DIR", e);
        }
    }

    /** Says which library is missing, what the jar has, and what to do. */
    private static String missing() {
        String what = "this jar has no native library for " + PLATFORM.name + " (Java says os.name="
            + System.getProperty("os.name") + ", os.arch=" + System.getProperty("os.arch") + "): io/resup/"
            + PLATFORM.resource() + " is not among those that it has, which are for " + Platform.inThisJar() + ". ";
        String own = "build it on this system (in the sources of resup: make java-local), or name its file with -D" + FILE
            + "=FILE";
        if (Platform.RELEASED.contains(PLATFORM.name))
            return what + "Take the jar without a classifier, which has all, or the one with the classifier "
                + PLATFORM.name + "; or " + own;
        return what + "No released jar has it: " + own;
    }

    /** Explains why a file could not be loaded, and what to do. */
    static String explain(String why, String file, boolean unpacked) {
        String what = "the native library " + file + " cannot be loaded: " + why;
        if (why.contains("already loaded in another classloader"))
            return what + ". One file serves one class loader: have resup's jar in a class loader that all share (in "
                + "Tomcat: its lib directory), or set no " + FILE + ", so that each unpacks a copy of its own";
        if (why.contains("GLIBC_"))
            return what + ". It was built on a newer system: take the jar of a release, which needs glibc 2.17 only, or "
                + "build the library on this system and name its file with -D" + FILE + "=FILE";
        boolean noexec = why.contains("failed to map segment") || why.contains("Operation not permitted");
        if (unpacked && noexec)
            return what + ". Programs may not run from there (is it mounted noexec?): name a directory from which they may "
                + "with -D" + DIRECTORY + "=DIR, or the library's file with -D" + FILE + "=FILE";
        return what;
    }

    /** Removes what other JVMs of this user have left there. */
    private static void removeLeftovers(Path parent, UserPrincipal user) {
        try (DirectoryStream<Path> others = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path other : others)
                if (isLeftover(other, user))
                    remove(other);
        } catch (IOException | DirectoryIteratorException unreadable) {
            // Nothing depends on this.
            return;
        }
    }

    private static boolean isLeftover(Path directory, UserPrincipal user) {
        try {
            long age = System.currentTimeMillis() - Files.getLastModifiedTime(directory, NOFOLLOW_LINKS).toMillis();
            return age > LEFTOVER_AGE && Files.isDirectory(directory, NOFOLLOW_LINKS)
                && Files.getOwner(directory, NOFOLLOW_LINKS).equals(user);
        } catch (IOException gone) {
            return false;
        }
    }

    private static void remove(Path directory) {
        try {
            Files.deleteIfExists(directory.resolve(PLATFORM.library));
            Files.deleteIfExists(directory);
        } catch (IOException inUse) {
            // On Windows a loaded file cannot be removed; a later JVM does it.
            return;
        }
    }

    private static UnsatisfiedLinkError failure(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }
}
