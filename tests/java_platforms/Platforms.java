import io.resup.*;
import java.io.IOException;
import java.nio.file.Paths;

/** Uploads a file: Platforms URL FILE [CA]. Prints the outcome, or why there is none. */
public class Platforms {
    public static void main(String[] arguments) throws IOException {
        try (ResumableUploadClient client = client(arguments);
                ResumableUpload upload = client.upload(Paths.get(arguments[1])).build()) {
            UploadResult result = upload.run();
            System.out.println("id=" + result.id().get() + " skipped=" + result.bytesSkipped() + " attempts=" + result.attempts());
        } catch (ResupException e) {
            System.out.println(e.code() + ": " + e.getMessage());
        } catch (UnsatisfiedLinkError e) {
            System.out.println(e.getMessage());
        }
    }

    private static ResumableUploadClient client(String[] arguments) {
        ResumableUploadClient.Builder builder = ResumableUploadClient.builder(arguments[0]).proxy("none");
        if (arguments.length > 2)
            builder.caFile(Paths.get(arguments[2]));
        return builder.build();
    }
}
