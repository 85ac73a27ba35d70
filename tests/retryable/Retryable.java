import io.resup.ResumableUpload;
import io.resup.ResumableUploadClient;
import io.resup.ResupException;
import java.nio.file.Paths;

/** Uploads FILE to URL once; prints the failure's code and whether another run may succeed. */
public class Retryable {
    public static void main(String[] args) throws Exception {
        try (ResumableUploadClient client = ResumableUploadClient.builder(args[0]).retryLimit(0).build();
                ResumableUpload upload = client.upload(Paths.get(args[1])).build()) {
            upload.run();
        } catch (ResupException e) {
            System.out.println(e.code().number() + " " + (e.isRetryable() ? 1 : 0));
        }
    }
}
