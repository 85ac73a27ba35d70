package io.resup;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** An operating system, processor and C library for which there may be a native library. */
final class Platform {
    /** Those that the jars of a release have libraries for; each is the classifier of a jar with that library alone. */
    static final List<String> RELEASED = Collections.unmodifiableList(Arrays.asList("linux-x86_64", "linux-aarch64",
        "linux-x86_64-musl", "linux-aarch64-musl", "windows-x86_64", "windows-x86"));

    /** The name, for example {@code linux-x86_64}, which is that of a directory in the jar. */
    final String name;
    /** The name of the library's file. */
    final String library;

    private Platform(String name) {
        this.name = name;
        library = name.startsWith("windows-") ? "resup_jni.dll"
            : name.startsWith("macos-") ? "libresup_jni.dylib" : "libresup_jni.so";
    }

    /**
     * Returns the platform of a JVM with these properties {@code os.name} and {@code os.arch}.
     *
     * @param musl  whether it runs on the C library musl
     */
    static Platform of(String osName, String osArch, boolean musl) {
        return new Platform(system(osName) + "-" + processor(osArch) + (musl ? "-musl" : ""));
    }

    /** Returns the names of those whose libraries this jar has. */
    static List<String> inThisJar() {
        return RELEASED.stream().filter(name -> Platform.class.getResource(new Platform(name).resource()) != null)
            .collect(Collectors.toList());
    }

    private static String system(String osName) {
        String os = osName.toLowerCase(Locale.ROOT);
        if (os.startsWith("mac") || os.startsWith("darwin"))
            return "macos";
        return os.split(" ")[0];
    }

    private static String processor(String osArch) {
        String arch = osArch.toLowerCase(Locale.ROOT);
        switch (arch) {
        case "amd64":
        case "x86_64":
        case "x86-64":
        case "x64":
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

    /** Returns the name of the library's resource, relative to this package. */
    String resource() {
        return "native/" + name + "/" + library;
    }
}
