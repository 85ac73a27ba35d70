package io.resup;

import java.io.ByteArrayInputStream;

/** Many uploads, one after the other, in a Java with little memory. */
final class Many {
    private Many() {
    }

    static void run(String endpoint, int runs) throws Exception {
        byte[] bytes = Some.bytes(3000);
        UploadListener listener = new UploadListener() {
        };
        long early = 0;
        try (ResumableUploadClient client = ResumableUploadClient.builder(endpoint).log(LogLevel.DEBUG, (level, line) -> {
        }).build()) {
            for (int i = 0; i < runs; i++) {
                ResumableUpload.Builder builder = i % 2 == 0 ? client.upload("many " + i, bytes)
                    : client.upload("many " + i, bytes.length, () -> new ByteArrayInputStream(bytes));
                ResumableUpload upload = builder.listener(listener).build();
                upload.run();
                // Every other one is forgotten.
                if (i % 4 < 2)
                    upload.close();
                if (i == runs / 5)
                    early = memory();
                if (i % 100 == 0)
                    System.gc();
            }
        }
        System.gc();
        Thread.sleep(100);
        ResumableUploadClient.create(endpoint).close();
        System.out.println("grown by " + (memory() - early) / 1024 + " KiB, left " + Native.count());
    }

    /** What the whole process has in memory. */
    private static long memory() throws Exception {
        System.gc();
        String status = new String(java.nio.file.Files.readAllBytes(java.nio.file.Paths.get("/proc/self/status")));
        return 1024 * Long.parseLong(status.replaceAll("(?s).*VmRSS:\\s*(\\d+).*", "$1"));
    }
}
