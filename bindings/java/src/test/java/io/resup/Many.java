package io.resup;

import java.io.ByteArrayInputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Paths;

/** Runs many uploads, one after the other, in a JVM with little memory. */
final class Many {
    private Many() {
    }

    static void run(String endpoint, int runs) throws Exception {
        byte[] bytes = Some.bytes(3000);
        UploadListener listener = new UploadListener() {
        };
        long early = 0;
        int references = 0;
        try (ResumableUploadClient client = ResumableUploadClient.builder(endpoint).log(LogLevel.DEBUG, (level, line) -> {
        }).build()) {
            for (int i = 0; i < runs; i++) {
                // Otherwise the server has it already.
                ByteBuffer.wrap(bytes).putInt(i);
                ResumableUpload.Builder builder = i % 2 == 0 ? client.upload("many " + i, bytes)
                    : client.upload("many " + i, bytes.length, () -> new ByteArrayInputStream(bytes));
                ResumableUpload upload = builder.listener(listener).build();
                upload.run();
                // Every other upload is left to the garbage collector.
                if (i % 4 < 2)
                    upload.close();
                if (i == runs / 5) {
                    early = memory();
                    references = references();
                }
                if (i % 100 == 0)
                    System.gc();
            }
        }
        System.gc();
        Thread.sleep(100);
        ResumableUploadClient.create(endpoint).close();
        System.out.println("grown by " + (memory() - early) / 1024 + " KiB, global references by "
            + (references() - references) + ", left " + Native.count());
    }

    /** Counts the global references of this JVM. */
    private static int references() throws Exception {
        String id = ManagementFactory.getRuntimeMXBean().getName().split("@")[0];
        String jstack = Paths.get(System.getProperty("java.home"), "bin", "jstack").toString();
        Process process = new ProcessBuilder(jstack, id).start();
        String output = new String(Some.all(process.getInputStream()));
        return Integer.parseInt(output.replaceAll("(?s).*JNI global refs: (\\d+).*", "$1"));
    }

    /** Returns the resident memory of this process in bytes. */
    private static long memory() throws Exception {
        System.gc();
        String status = new String(Files.readAllBytes(Paths.get("/proc/self/status")));
        return 1024 * Long.parseLong(status.replaceAll("(?s).*VmRSS:\\s*(\\d+).*", "$1"));
    }
}
