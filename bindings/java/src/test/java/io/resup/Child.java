package io.resup;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A child process, mostly a JVM, and what that JVM does. */
final class Child {
    private final Process process;
    private final BufferedReader output;

    private Child(Process process) {
        this.process = process;
        output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Starts a JVM with the jar under test, these options of the JVM and these arguments of {@link #main}. */
    static Child start(List<String> options, String... arguments) throws IOException {
        String path = System.getProperty("resup.test.jar") + ":" + System.getProperty("resup.test.classes");
        return command(java(path, options, Child.class.getName(), arguments));
    }

    static List<String> java(String path, List<String> options, String main, String... arguments) {
        List<String> command = Some.words(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
        // Tests compare the output, so the JVM must not add warnings.
        if (!System.getProperty("java.specification.version").matches("1\\..*|1\\d|2[0-3]"))
            command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(options);
        Collections.addAll(command, "-cp", path, main);
        Collections.addAll(command, arguments);
        return command;
    }

    static Child command(List<String> command) throws IOException {
        // A process that hangs is ended, with the exit code 124.
        List<String> bounded = Some.words("timeout", "3600");
        bounded.addAll(command);
        return new Child(new ProcessBuilder(bounded).redirectErrorStream(true).start());
    }

    /** Returns a line of its output; null at the end. */
    String line() throws IOException {
        return output.readLine();
    }

    /** Waits for its end, and returns the rest of its output. */
    String rest() throws Exception {
        List<String> lines = new ArrayList<>();
        for (String line = line(); line != null; line = line())
            lines.add(line);
        process.waitFor();
        return String.join("\n", lines);
    }

    int exit() throws InterruptedException {
        return process.waitFor();
    }

    /** Kills the JVM with this process id. */
    void kill(String id) throws Exception {
        new ProcessBuilder("kill", "-9", id).start().waitFor();
        process.waitFor();
    }

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
        case "load":
            load();
            break;
        case "slow":
            slow(arguments[1], arguments[2]);
            break;
        case "full":
            full();
            break;
        case "many":
            Many.run(arguments[1], Integer.parseInt(arguments[2]));
            break;
        case "all":
            All.run(arguments[1], Paths.get(arguments[2]));
            break;
        case "unload":
            unload(Paths.get(arguments[1]));
            break;
        default:
            throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void load() {
        try {
            ResumableUploadClient.create("http://127.0.0.1:9/").close();
            System.out.println("loaded");
        } catch (UnsatisfiedLinkError error) {
            System.out.println(error.getMessage());
        }
    }

    /** Creates uploads of bytes until there is no memory left, and one more after they are closed. */
    private static void full() {
        byte[] bytes = new byte[100_000_000];
        List<ResumableUpload> uploads = new ArrayList<>();
        try (ResumableUploadClient client = ResumableUploadClient.create("http://127.0.0.1:9/")) {
            try {
                while (uploads.size() < 1000)
                    uploads.add(client.upload("full", bytes).build());
            } catch (OutOfMemoryError error) {
                uploads.forEach(ResumableUpload::close);
                client.upload("one", bytes).build().close();
                System.out.println(error.getMessage() + ", and then there is room");
            }
        }
    }

    /** Prints whether the unpacked file of the library can be removed, which Windows allows once it is not loaded any more. */
    private static void unload(Path jar) throws Exception {
        ReferenceQueue<ClassLoader> gone = new ReferenceQueue<>();
        Reference<ClassLoader> loader = loadApart(jar, gone);
        while (gone.remove(100) != loader)
            System.gc();
        Thread.sleep(500);
        Path parent = Paths.get(System.getProperty("java.io.tmpdir"));
        try (DirectoryStream<Path> left = Files.newDirectoryStream(parent, "resup-native-*")) {
            for (Path directory : left)
                for (String file : directory.toFile().list())
                    System.out.println(file + (directory.resolve(file).toFile().delete() ? " was unloaded" : " is loaded"));
        }
    }

    /** Returns a reference to a class loader that has loaded the library and is unreachable. */
    private static Reference<ClassLoader> loadApart(Path jar, ReferenceQueue<ClassLoader> gone) throws Exception {
        try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            Class<?> client = loader.loadClass("io.resup.ResumableUploadClient");
            ((AutoCloseable) client.getMethod("create", String.class).invoke(null, "http://127.0.0.1:9/")).close();
            return new PhantomReference<>(loader, gone);
        }
    }

    /** Prints the process id when 3 MB are sent, and nearly stops then. */
    private static void slow(String endpoint, String file) throws Exception {
        UploadListener listener = new UploadListener() {
            @Override
            public void progress(ResumableUpload upload, UploadProgress now) {
                if (now.position() >= 3_000_000) {
                    System.out.println(ManagementFactory.getRuntimeMXBean().getName().split("@")[0]);
                    upload.setRateLimit(1);
                }
            }
        };
        try (ResumableUploadClient client = ResumableUploadClient.create(endpoint);
                ResumableUpload upload = client.upload(Paths.get(file)).listener(listener).rateLimit(4_000_000).build()) {
            upload.run();
        }
    }
}
