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

/** The secret that signs forms. */
final class Signing {
    private static final Map<String, String> ALGORITHMS = Map.of("hmac-sha256", "HmacSHA256", "hmac-md5", "HmacMD5");
    private static final String UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    private final SecretKeySpec key;

    private Signing(SecretKeySpec key) {
        this.key = key;
    }

    /** Reads the secret, the first line of the file. Returns <code>null</code> where no file is set. */
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
     * Tells whether the field <code>name</code> is the signature of the other fields and, if it is not empty, of the
     * earlier <code>sign</code>. Only the first field of this name is the signature. Later ones are signed like all
     * others.
     */
    boolean verify(Fields fields, String name, String sign) {
        String signature = null;
        List<String> lines = new ArrayList<>();
        for (Fields.Field field : fields.all()) {
            if (signature == null && field.name().equals(name)) {
                signature = field.value();
            } else {
                lines.add(encode(field.name()) + '=' + encode(field.value()));
            }
        }
        if (!sign.isEmpty()) {
            lines.add("sign=" + encode(sign));
        }
        lines.sort(null);
        return signature != null && matchesMac(signature, String.join("\n", lines));
    }

    private boolean matchesMac(String signature, String text) {
        try {
            Mac mac = Mac.getInstance(key.getAlgorithm());
            mac.init(key);
            byte[] expected = mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
            // It takes the same time for every wrong signature.
            return MessageDigest.isEqual(expected, HexFormat.of().parseHex(signature));
        } catch (IllegalArgumentException noHex) {
            return false;
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String encode(String text) {
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
