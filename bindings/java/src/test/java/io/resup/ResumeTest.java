package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResumeTest {
    @TempDir
    Path directory;

    private static ResumableUploadClient patient(String endpoint) {
        return ResumableUploadClient.builder(endpoint).retryBackoff(Duration.ofMillis(1), Duration.ofMillis(20)).build();
    }

    private interface Maker {
        ResumableUpload.Builder make(ResumableUploadClient client, byte[] bytes) throws IOException;
    }

    private void survives_cuts(Maker maker) throws IOException {
        byte[] bytes = Some.bytes(8_000_000);
        try (Receiver receiver = new Receiver();
                CuttingProxy proxy = new CuttingProxy(receiver.port(), 3, 1_500_000);
                ResumableUploadClient client = patient(proxy.endpoint());
                ResumableUpload upload = maker.make(client, bytes).build()) {
            UploadResult result = upload.run();
            assertEquals(0, proxy.cutsLeft());
            assertEquals(4, result.attempts());
            Some.assertStored(receiver, result, bytes);
            // The bytes sent tell nothing here: the system takes the whole file before the server has the first of it.
            assertEquals(1, receiver.stderr().split("action=\"send\".* from=0 ").length - 1, receiver.stderr());
        }
    }

    @Test
    void a_file_goes_on_after_cuts() throws IOException {
        survives_cuts((client, bytes) -> client.upload(Some.file(directory, "cut", bytes.length)));
    }

    @Test
    void a_stream_goes_on_after_cuts() throws IOException {
        survives_cuts((client, bytes) -> client.upload("cut", bytes.length, () -> new ByteArrayInputStream(bytes)));
    }

    @Test
    void an_upload_goes_on_after_its_java_was_killed() throws Exception {
        byte[] bytes = Some.bytes(6_000_000);
        Path file = Some.file(directory, "killed", bytes.length);
        try (Receiver receiver = new Receiver();
                ResumableUploadClient client = ResumableUploadClient.create(receiver.endpoint())) {
            Child child = Child.start(Some.words(), "slow", receiver.endpoint(), file.toString());
            child.kill(child.line());
            Some.until("the receiver has noticed", () -> receiver.stderr().contains("action=\"send\""));
            try (ResumableUpload upload = client.upload(file).build()) {
                UploadResult result = upload.run();
                assertTrue(result.bytesSkipped() > 2_000_000, result.bytesSkipped() + " bytes were there before");
                assertEquals(bytes.length, result.bytesSkipped() + result.bytesSent());
                Some.assertStored(receiver, result, bytes);
            }
        }
    }
}
