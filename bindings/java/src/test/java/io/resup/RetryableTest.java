package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Whether an upload may succeed later when the server responds with an HTML page. */
class RetryableTest {
    private static final String PAGE = "<html><body>Sign in to the hotel's network</body></html>";

    /** Uploads to this server, and returns why that failed. */
    private static ResupException failure(ScriptedServer server) throws IOException {
        try (ResumableUploadClient client = ResumableUploadClient.builder(server.endpoint()).proxy("none").retryLimit(1)
                .retryBackoff(Duration.ofMillis(1), Duration.ofMillis(5)).build();
                ResumableUpload upload = client.upload("some", new byte[1000]).build()) {
            ResupException failure = assertThrows(ResupException.class, upload::run);
            assertEquals(ErrorCode.BAD_RESPONSE, failure.code(), failure.getMessage());
            return failure;
        }
    }

    @Test
    void a_page_from_a_server_that_has_spoken_the_protocol_may_pass() throws IOException {
        try (ScriptedServer server = new ScriptedServer("{\"state\":\"partial\",\"offset\":0,\"id\":\"a\"}", PAGE)) {
            assertTrue(failure(server).isRetryable());
            assertTrue(server.requests() > 1);
        }
    }

    @Test
    void a_page_as_the_first_response_does_not_pass() throws IOException {
        try (ScriptedServer server = new ScriptedServer(PAGE)) {
            assertFalse(failure(server).isRetryable());
        }
    }
}
