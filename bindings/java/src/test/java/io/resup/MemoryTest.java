package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What many uploads leave in memory. */
class MemoryTest {
    @TempDir
    Path directory;

    @Test
    void many_uploads_in_little_memory_leave_nothing() throws Exception {
        String runs = System.getProperty("RESUP_TEST_RUNS", "300");
        try (Receiver receiver = new Receiver("--max-uploads", "1000000")) {
            Child child = Child.start(Some.words("-Xmx64m"), "many", receiver.endpoint(), runs);
            String output = child.rest();
            System.out.println(runs + " uploads: " + output);
            Matcher numbers = Pattern.compile("grown by (-?\\d+) KiB, global references by (-?\\d+), left 0").matcher(output);
            assertTrue(numbers.matches(), output);
            // The heap itself may still grow to 64 MiB.
            assertTrue(Integer.parseInt(numbers.group(1)) < 80_000, output);
            assertTrue(Integer.parseInt(numbers.group(2)) < 20, output);
        }
    }

    @Test
    void the_vm_finds_no_fault_in_how_the_native_side_uses_it() throws Exception {
        try (Receiver receiver = new Receiver()) {
            Child child = Child.start(Some.words("-Xcheck:jni"), "all", receiver.endpoint(), directory.toString());
            assertEquals("", child.rest());
            assertEquals(0, child.exit());
        }
    }

    @Test
    void no_room_for_a_copy_of_bytes_is_an_out_of_memory_error() throws Exception {
        List<String> command = Some.words("sh", "-c", "ulimit -v 2200000 && exec \"$@\"", "sh");
        String path = System.getProperty("resup.test.jar") + ":" + System.getProperty("resup.test.classes");
        List<String> small = Some.words("-Xmx200m", "-XX:+UseSerialGC", "-XX:CompressedClassSpaceSize=64m",
            "-XX:ReservedCodeCacheSize=64m");
        command.addAll(Child.java(path, small, Child.class.getName(), "full"));
        String output = Child.command(command).rest();
        assertTrue(output.matches("no memory for a copy of 100000000 bytes .*, and then there is room"), output);
    }

    @Test
    void what_is_not_closed_is_let_go_of() throws Exception {
        int before = settled();
        for (int i = 0; i < 50; i++)
            forget();
        Some.until("all are let go of", () -> settled() <= before);
    }

    private static void forget() throws Exception {
        ResumableUpload.Builder builder = ResumableUploadClient.create("http://127.0.0.1:9/").upload("x", new byte[1000]);
        builder.listener(new UploadListener() {
        }).build().cancel();
    }

    private static int settled() throws Exception {
        System.gc();
        ResumableUploadClient.create("http://127.0.0.1:9/").close();
        return Native.count();
    }
}
