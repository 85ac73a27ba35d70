package io.resup;

import java.util.Locale;

/** An operating system and processor for which there is a native library. */
final class Platform {
    /** The name of the directory in the jar, for example {@code linux-x86_64}. */
    final String name;
    /** The name of the library's file there. */
    final String library;

    private Platform(String name, String library) {
        this.name = name;
        this.library = library;
    }

    /** Returns the platform of a JVM with these properties {@code os.name} and {@code os.arch}. */
    static Platform of(String osName, String osArch) {
        String os = osName.toLowerCase(Locale.ROOT).split(" ")[0];
        boolean windows = os.equals("windows");
        return new Platform(os + "-" + processor(osArch), windows ? "resup_jni.dll" : "libresup_jni.so");
    }

    private static String processor(String osArch) {
        String arch = osArch.toLowerCase(Locale.ROOT);
        switch (arch) {
        case "amd64":
        case "x86_64":
            return "x86_64";
        case "x86":
        case "i386":
        case "i486":
        case "i586":
        case "i686":
            return "x86";
        case "arm64":
        case "aarch64":
            return "aarch64";
        default:
            return arch;
        }
    }

    /** Returns whether a process with this {@code /proc/self/maps} uses the C library musl. */
    static boolean isMusl(String maps) {
        return maps.contains("/ld-musl-") || maps.contains("/libc.musl-");
    }
}
