package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoaderTest {
    @TempDir
    Path directory;

    private static String loads(String... options) throws Exception {
        return Child.start(Some.words(options), "load").rest();
    }

    /** Extracts the library from the jar. */
    private Path library() throws IOException {
        Path file = directory.resolve("libresup_jni.so");
        try (InputStream library = Loader.class.getResourceAsStream("native/linux-x86_64/libresup_jni.so")) {
            Files.copy(library, file);
        }
        return file;
    }

    private List<String> left() throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(path -> path.getFileName().toString()).sorted().collect(Collectors.toList());
        }
    }

    private static String name(String osName, String osArch) {
        return Platform.of(osName, osArch, false).name;
    }

    @Test
    void platforms_have_their_names() {
        for (String arch : new String[] {"amd64", "x86_64", "AMD64", "x64", "x86-64"}) {
            assertEquals("linux-x86_64", name("Linux", arch));
            assertEquals("windows-x86_64", name("Windows 11", arch));
        }
        for (String arch : new String[] {"aarch64", "arm64", "ARM64"}) {
            assertEquals("linux-aarch64", name("Linux", arch));
            assertEquals("linux-aarch64-musl", Platform.of("Linux", arch, true).name);
        }
        for (String arch : new String[] {"x86", "i386", "i486", "i586", "i686"})
            assertEquals("windows-x86", name("Windows XP", arch));
        assertEquals("windows-x86_64", name("Windows Server 2022", "amd64"));
        assertEquals("linux-x86_64-musl", Platform.of("Linux", "amd64", true).name);
        assertEquals("macos-x86_64", name("Mac OS X", "x86_64"));
        assertEquals("linux-riscv64", name("Linux", "riscv64"));
        assertEquals("native/windows-x86/resup_jni.dll", Platform.of("Windows 10", "x86", false).resource());
        assertEquals("native/linux-x86/libresup_jni.so", Platform.of("Linux", "i386", false).resource());
        assertEquals("native/macos-aarch64/libresup_jni.dylib", Platform.of("Mac OS X", "aarch64", false).resource());
    }

    @Test
    void each_platform_of_a_release_has_a_jar_of_its_own() throws IOException {
        Path pom = Paths.get(System.getProperty("resup.test.examples"), "../../bindings/java/pom.xml");
        String text = new String(Files.readAllBytes(pom), StandardCharsets.UTF_8);
        List<String> classifiers = new ArrayList<>();
        Matcher classifier = Pattern.compile("<classifier>([^<]+)</classifier>").matcher(text);
        while (classifier.find())
            classifiers.add(classifier.group(1));
        assertEquals(Platform.RELEASED, classifiers);
        for (String name : Platform.RELEASED)
            assertTrue(text.contains("<include>io/resup/native/" + name + "/*</include>"), name);
    }

    private static boolean isMapped(String file) {
        return Musl.isMapped("55d0-55d1 r--p 00000000 08:01 11 /opt/java/bin/java\n7f00-7f01 r-xp 00000000 08:01 12    " + file
            + "\n7ffd-7ffe rw-p 00000000 00:00 0 [stack]\n");
    }

    @Test
    void musl_is_known_by_what_the_process_has_loaded() {
        assertTrue(isMapped("/lib/ld-musl-x86_64.so.1"));
        assertTrue(isMapped("/lib/ld-musl-aarch64.so.1 (deleted)"));
        assertTrue(isMapped("/lib/libc.musl-x86_64.so.1"));
        // Debian's, Void's.
        assertTrue(isMapped("/usr/lib/x86_64-linux-musl/libc.so"));
        assertTrue(isMapped("/usr/lib/libc.so"));
        assertFalse(isMapped("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"));
        assertFalse(isMapped("/usr/lib/x86_64-linux-gnu/libc.so.6"));
        assertFalse(isMapped("/lib64/libc-2.17.so"));
        assertFalse(isMapped("/opt/ld-musl-tools/libc.so.6"));
        assertFalse(Musl.isUsed());
    }

    @Test
    void where_that_cannot_be_read_the_launchers_dynamic_linker_tells() throws IOException {
        Path program = directory.resolve("java");
        assertFalse(Musl.isNamed(program));
        Files.write(program, "\u007fELF...../lib/ld-musl-x86_64.so.1\0".getBytes(StandardCharsets.ISO_8859_1));
        assertTrue(Musl.isNamed(program));
        assertFalse(Musl.isNamed(Paths.get(System.getProperty("java.home"), "bin", "java")));
    }

    @Test
    void a_platform_without_a_library_is_named_with_what_is_there_and_the_way_out() throws Exception {
        String message = loads("-Dos.arch=riscv64");
        assertTrue(message.contains("no native library for linux-riscv64 (Java says os.name=Linux, os.arch=riscv64)"), message);
        assertTrue(message.contains("io/resup/native/linux-riscv64/libresup_jni.so is not among"), message);
        assertTrue(message.contains("for " + Platform.inThisJar()) && Platform.inThisJar().contains("linux-x86_64"), message);
        assertTrue(message.contains("make java-local") && message.contains("-Dresup.native=FILE"), message);
        message = loads("-Dos.name=Windows 10", "-Dos.arch=aarch64");
        assertTrue(message.contains("No released jar has it"), message);
    }

    @Test
    void a_library_for_a_newer_system_is_reported_with_the_way_out() {
        String message = Loader.explain("/lib/libc.so.6: version `GLIBC_2.34' not found (required by x.so)", "x.so", false);
        assertTrue(message.contains("GLIBC_2.34") && message.contains("take the jar of a release"), message);
    }

    @Test
    void the_version_is_the_jars() throws IOException {
        Loader.load();
        try (JarFile jar = new JarFile(System.getProperty("resup.test.jar"))) {
            assertEquals(Native.VERSION, jar.getManifest().getMainAttributes().getValue("Implementation-Version"));
        }
        assertEquals(Native.VERSION, Text.of(Native.version()));
    }

    @Test
    void it_comes_out_of_the_jar_and_leaves_nothing() throws Exception {
        assertEquals("loaded", loads("-Dresup.tmpdir=" + directory));
        assertEquals(Collections.emptyList(), left());
    }

    @Test
    void the_systems_temporary_directory_is_the_default() throws Exception {
        assertEquals("loaded", loads("-Djava.io.tmpdir=" + directory));
        String message = loads("-Djava.io.tmpdir=" + directory.resolve("none"));
        assertTrue(message.contains("cannot be unpacked below " + directory.resolve("none"))
            && message.contains("-Dresup.tmpdir=DIR"), message);
    }

    @Test
    void what_was_left_behind_is_swept_and_nothing_else() throws Exception {
        for (String name : new String[] {"resup-native-old", "resup-native-new", "resup-native-full", "other-old"}) {
            Path left = Files.createDirectory(directory.resolve(name));
            Files.createFile(left.resolve("libresup_jni.so"));
            if (name.endsWith("full"))
                Files.createFile(left.resolve("somebody's"));
            if (!name.endsWith("new"))
                Files.setLastModifiedTime(left, FileTime.fromMillis(System.currentTimeMillis() - 86_400_000));
        }
        assertEquals("loaded", loads("-Dresup.tmpdir=" + directory));
        assertEquals(Some.words("other-old", "resup-native-full", "resup-native-new"), left());
    }

    @Test
    void a_file_of_ones_own_goes_first() throws Exception {
        Path file = library();
        assertEquals("loaded", loads("-Dresup.native=" + file, "-Dresup.tmpdir=/none"));
        String message = loads("-Dresup.native=" + directory.resolve("no.so"));
        assertTrue(message.startsWith("the native library " + directory.resolve("no.so") + " cannot be loaded: "), message);
    }

    @Test
    void the_systems_library_goes_before_the_jars() throws Exception {
        library();
        assertEquals("loaded", loads("-Djava.library.path=/none:" + directory, "-Dresup.tmpdir=/none"));
        Files.write(directory.resolve("libresup_jni.so"), new byte[] {1, 2, 3});
        String message = loads("-Djava.library.path=" + directory);
        assertTrue(message.contains("the native library " + directory.resolve("libresup_jni.so") + " cannot be loaded: "),
            message);
    }

    /** Returns the message of a new class loader while a system property has this value. */
    private static String said(String property, String value) throws Throwable {
        String before = System.setProperty(property, value);
        try {
            create(apart());
            return "loaded";
        } catch (UnsatisfiedLinkError error) {
            return error.getMessage();
        } finally {
            if (before == null)
                System.clearProperty(property);
            else
                System.setProperty(property, before);
        }
    }

    /** On Windows such directories are those with quotes, or blanks at the ends, which are common in PATH. */
    @Test
    void directories_that_cannot_be_any_are_passed_over_and_files_reported() throws Throwable {
        library();
        assertEquals("loaded", said("java.library.path", "a\0b:" + directory));
        String message = said("resup.native", "a\0b");
        assertTrue(message.startsWith("the native library a\0b cannot be loaded: Nul character"), message);
        message = said("resup.tmpdir", "a\0b");
        assertTrue(message.contains("cannot be unpacked below a\0b") && message.contains("-Dresup.tmpdir=DIR"), message);
    }

    @Test
    void a_directory_from_which_nothing_may_run_is_reported_with_the_way_out() throws Exception {
        String mount = "mount -t tmpfs -o noexec none \"$0\" && exec \"$@\"";
        List<String> command = Some.words("unshare", "-rm", "sh", "-c", mount, directory.toString());
        String path = System.getProperty("resup.test.jar") + ":" + System.getProperty("resup.test.classes");
        List<String> options = Some.words("-Dresup.tmpdir=" + directory);
        command.addAll(Child.java(path, options, Child.class.getName(), "load"));
        String message = Child.command(command).rest();
        assertTrue(message.contains("mounted noexec") && message.contains("-Dresup.tmpdir=DIR"), message);
    }

    private static ClassLoader apart() throws Exception {
        URL jar = Paths.get(System.getProperty("resup.test.jar")).toUri().toURL();
        return new URLClassLoader(new URL[] {jar}, null);
    }

    private static void create(ClassLoader loader) throws Throwable {
        create(loader, "http://127.0.0.1:9/");
    }

    private static void create(ClassLoader loader, String url) throws Throwable {
        try {
            loader.loadClass("io.resup.ResumableUploadClient").getMethod("create", String.class).invoke(null, url);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Test
    void class_loaders_have_a_copy_each() throws Throwable {
        create(apart());
        ClassLoader second = apart();
        create(second);
        // The native library finds the classes of this loader.
        assertThrows(IllegalArgumentException.class, () -> create(second, "ftp://x"));
    }

    @Test
    void one_file_for_two_class_loaders_is_reported_with_the_way_out() throws Throwable {
        Path file = library();
        System.setProperty("resup.native", file.toString());
        try {
            ClassLoader first = apart();
            create(first);
            UnsatisfiedLinkError error = assertThrows(UnsatisfiedLinkError.class, () -> create(apart()));
            assertTrue(error.getMessage().contains("One file serves one class loader"), error.getMessage());
            create(first);
        } finally {
            System.clearProperty("resup.native");
        }
    }

    @Test
    void the_jar_is_a_module_and_its_classes_are_of_java_8() throws Exception {
        try (InputStream header = Loader.class.getResourceAsStream("Loader.class")) {
            byte[] first = new byte[8];
            assertEquals(8, header.read(first));
            assertEquals(52, first[7]);
        }
        List<String> command = Some.words(Paths.get(System.getProperty("java.home"), "bin", "java").toString(), "-p",
            System.getProperty("resup.test.jar"), "--describe-module", "io.resup");
        String message = Child.command(command).rest();
        assertTrue(message.matches("(?s)io\\.resup@" + Native.VERSION + " \\S+ automatic.*"), message);
    }
}
