package io.resup;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Tests against one receiver, with a client of it and a directory for files. */
abstract class WithReceiver {
    static Receiver receiver;
    static ResumableUploadClient client;
    @TempDir
    Path directory;

    @BeforeAll
    static void startReceiver() throws IOException {
        receiver = new Receiver();
        client = ResumableUploadClient.create(receiver.endpoint());
    }

    @AfterAll
    static void stopReceiver() throws IOException {
        client.close();
        receiver.close();
    }
}
