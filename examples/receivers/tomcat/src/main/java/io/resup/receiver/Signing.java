package io.resup.receiver;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The secret by which forms are signed. */
final class Signing {
    private static final Map<String, String> ALGORITHMS = Map.of("hmac-sha256", "HmacSHA256", "hmac-md5", "HmacMD5");
    private static final String UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    private final SecretKeySpec key;

    private Signing(SecretKeySpec key) {
        this.key = key;
    }

    /** Reads the secret, which ends at the end of the file's first line; <code>null</code> where none is set. */
    static Signing read(String file, String algorithm) throws IOException {
        if (file.isEmpty()) {
            return null;
        }
        String name = ALGORITHMS.get(algorithm);
        if (name == null) {
            throw new IOException("resup.algorithm is '" + algorithm + "': it is hmac-sha256 or hmac-md5");
        }
        String secret = Files.readString(Path.of(file)).lines().findFirst().orElse("");
        if (secret.isEmpty()) {
            throw new IOException("the signing secret in " + file + " is empty");
        }
        return new Signing(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), name));
    }

    /**
     * Whether the field that is called <code>name</code> is the signature of the others and, if it is not empty, of the
     * earlier <code>sign</code>. Only the first counts, so that what comes after it under the same name is signed like
     * all the rest.
     */
    boolean isRight(Fields fields, String name, String sign) {
        String said = null;
        List<String> lines = new ArrayList<>();
        for (Fields.Field field : fields.all()) {
            if (said == null && field.name().equals(name)) {
                said = field.value();
            } else {
                lines.add(encoded(field.name()) + '=' + encoded(field.value()));
            }
        }
        if (!sign.isEmpty()) {
            lines.add("sign=" + encoded(sign));
        }
        lines.sort(null);
        return said != null && isMac(said, String.join("\n", lines));
    }

    private boolean isMac(String said, String text) {
        try {
            Mac mac = Mac.getInstance(key.getAlgorithm());
            mac.init(key);
            byte[] due = mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
            // Takes the same time for every wrong one.
            return MessageDigest.isEqual(due, HexFormat.of().parseHex(said));
        } catch (IllegalArgumentException noHex) {
            return false;
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String encoded(String text) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (UNRESERVED.indexOf(b) >= 0) {
                encoded.append((char) b);
            } else {
                encoded.append(String.format("%%%02X", b));
            }
        }
        return encoded.toString();
    }
}
