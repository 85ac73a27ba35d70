// Uploads files side by side, and continues from what the server has: run it again after it was killed.
//
//     java -cp resup-0.1.0.jar Upload.java URL FILE...          (Java 11 or later runs the source as it is)
//
// Prints one line for each file at its end. The exit code is 1 when an upload failed.
import io.resup.ResumableUpload;
import io.resup.ResumableUploadClient;
import io.resup.UploadListener;
import io.resup.UploadProgress;
import io.resup.UploadResult;
import io.resup.UploadState;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

public class Upload {
    /** The number of uploads at once. */
    private static final int AT_ONCE = 4;

    public static void main(String[] arguments) throws InterruptedException {
        if (arguments.length < 2) {
            System.err.println("usage: java -cp resup.jar Upload.java URL FILE...");
            System.exit(2);
        }
        ExecutorService executor = Executors.newFixedThreadPool(AT_ONCE);
        boolean failed = false;
        try (ResumableUploadClient client = ResumableUploadClient.create(arguments[0])) {
            List<CompletableFuture<String>> outcomes = new ArrayList<>();
            for (int i = 1; i < arguments.length; i++) {
                String file = arguments[i];
                outcomes.add(CompletableFuture.supplyAsync(() -> upload(client, file), executor));
            }
            for (CompletableFuture<String> outcome : outcomes) {
                try {
                    System.out.println(outcome.get());
                } catch (ExecutionException e) {
                    failed = true;
                    System.out.println(e.getCause().getMessage());
                }
            }
        } finally {
            executor.shutdown();
        }
        System.exit(failed ? 1 : 0);
    }

    private static String upload(ResumableUploadClient client, String file) {
        // A server of tus takes the file, too. For another run of this program to go on there, before build():
        // .stateFile(Paths.get(file + ".state"))
        try (ResumableUpload upload = client.upload(Paths.get(file)).listener(new Percent(file)).build()) {
            UploadResult result = upload.run();
            return file + ": complete, id=" + result.id().orElse("?") + ", " + digest(result);
        } catch (IOException | InvalidPathException e) {
            throw new IllegalStateException(file + ": " + e.getMessage(), e);
        }
    }

    /** Returns the digest by which client and server compared the file. */
    private static String digest(UploadResult result) {
        return result.digestAlgorithm().map(it -> it.name().toLowerCase(Locale.ROOT)).orElse("no digest")
                + result.digest().map(value -> ":" + value).orElse("");
    }

    /** Prints each tenth of a file once. */
    private static final class Percent implements UploadListener {
        private final String file;
        private int printed = -1;

        Percent(String file) {
            this.file = file;
        }

        @Override
        public void state(ResumableUpload upload, UploadState state) {
            if (state == UploadState.WAITING)
                System.err.println(file + ": " + upload.failure().orElse("it failed") + "; it is tried again soon");
        }

        @Override
        public void progress(ResumableUpload upload, UploadProgress now) {
            int tenths = (int) (now.fraction() * 10);
            if (tenths == printed)
                return;
            printed = tenths;
            System.err.printf("%s: %d0 %%, %.1f MB/s%n", file, tenths, now.rate() / 1e6);
        }
    }
}
