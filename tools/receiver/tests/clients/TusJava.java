import io.tus.java.client.TusClient;
import io.tus.java.client.TusURLStore;
import io.tus.java.client.TusUpload;
import io.tus.java.client.TusUploader;

import java.io.File;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;

/** An upload by tus-java-client: TusJava.java ENDPOINT FILE STATE CHUNK. Its line tells the offset that it began at. */
public final class TusJava {
    public static void main(String[] arguments) throws Exception {
        Path state = Path.of(arguments[2]);
        TusClient client = new TusClient();
        client.setUploadCreationURL(URI.create(arguments[0]).toURL());
        client.enableResuming(new TusURLStore() {
            @Override
            public void set(String fingerprint, URL url) {
                try {
                    Files.writeString(state, url.toString());
                } catch (java.io.IOException error) {
                    throw new java.io.UncheckedIOException(error);
                }
            }

            @Override
            public URL get(String fingerprint) {
                try {
                    return Files.exists(state) ? URI.create(Files.readString(state)).toURL() : null;
                } catch (java.io.IOException error) {
                    throw new java.io.UncheckedIOException(error);
                }
            }

            @Override
            public void remove(String fingerprint) {
                state.toFile().delete();
            }
        });
        TusUploader uploader = client.resumeOrCreateUpload(new TusUpload(new File(arguments[1])));
        uploader.setChunkSize(64 * 1024);
        uploader.setRequestPayloadSize(Integer.parseInt(arguments[3]));
        long first = uploader.getOffset();
        while (uploader.uploadChunk() > -1) {
            // The next one.
        }
        uploader.finish();
        System.out.println(first);
    }
}
