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
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.FileTime;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarFile;
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

    @Test
    void platforms_have_their_names() {
        assertEquals("linux-x86_64", Platform.of("Linux", "amd64").name);
        assertEquals("linux-aarch64", Platform.of("Linux", "aarch64").name);
        assertEquals("windows-x86_64", Platform.of("Windows 11", "amd64").name);
        assertEquals("windows-x86_64", Platform.of("Windows Server 2022", "x86_64").name);
        assertEquals("windows-x86", Platform.of("Windows XP", "x86").name);
        assertEquals("resup_jni.dll", Platform.of("Windows 10", "x86").library);
        assertEquals("libresup_jni.so", Platform.of("Linux", "i386").library);
        assertEquals("mac-x86_64", Platform.of("Mac OS X", "x86_64").name);
        assertEquals("linux-riscv64", Platform.of("Linux", "riscv64").name);
    }

    @Test
    void musl_is_known_by_what_the_process_has_loaded() {
        assertTrue(Platform.isMusl("7f00-7f01 r-xp 00000000 08:01 12 /lib/ld-musl-x86_64.so.1\n"));
        assertFalse(Platform.isMusl("7f00-7f01 r-xp 00000000 08:01 12 /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2\n"));
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
