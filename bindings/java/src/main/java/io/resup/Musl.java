package io.resup;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.regex.Pattern;

/** Tells whether this JVM runs on the C library musl, as on Alpine Linux. */
final class Musl {
    /**
     * The file of musl among those that a process has mapped. Alpine has it as its dynamic linker, others as {@code libc.so};
     * glibc is {@code libc.so.6} and {@code ld-linux…}. An upgrade of the system marks the file as deleted.
     */
    private static final Pattern MAPPED =
        Pattern.compile("(?m)/(?:ld-musl-[^/\n]+|libc\\.musl-[^/\n]+|libc\\.so)(?: \\(deleted\\))?$");
    /** The bytes at the beginning of a program, among which its dynamic linker is named. */
    private static final int HEAD = 8192;

    private Musl() {
    }

    /**
     * Returns whether it does. What the process has mapped tells; where that cannot be read, the dynamic linker that the
     * launcher of this Java names.
     */
    static boolean isUsed() {
        try {
            return isMapped(latin(Files.readAllBytes(Paths.get("/proc/self/maps"))));
        } catch (IOException | RuntimeException noLinux) {
            return isNamed(Paths.get(System.getProperty("java.home", ""), "bin", "java"));
        }
    }

    /** Returns whether musl is among the files of this {@code /proc/self/maps}. */
    static boolean isMapped(String maps) {
        return MAPPED.matcher(maps).find();
    }

    /** Returns whether this program names musl as its dynamic linker; false also when it cannot be read. */
    static boolean isNamed(Path program) {
        byte[] head = new byte[HEAD];
        try (InputStream in = Files.newInputStream(program)) {
            int length = 0;
            for (int read = in.read(head); read > 0; read = in.read(head, length, HEAD - length))
                length += read;
        } catch (IOException | RuntimeException unreadable) {
            return false;
        }
        return latin(head).contains("/ld-musl-");
    }

    private static String latin(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
