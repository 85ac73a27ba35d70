package io.resup.receiver;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * Who may upload, by HTTP Basic: those whom the container has let in, or those of a file of our own with lines <code>
 * name:salt:hash</code>. {@link #main} makes such a line.
 */
public final class Users {
    private static final int ITERATIONS = 210_000;

    private final Map<String, String[]> users = new HashMap<>();
    private final boolean open;
    /** Digests of headers that were right: to compute a password's hash takes its time. */
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    private Users(boolean open) {
        this.open = open;
    }

    /** Reads the file; without one everybody may upload whom the container lets in. */
    static Users read(String file) throws IOException {
        Users users = new Users(file.isEmpty());
        if (!users.open) {
            for (String line : Files.readAllLines(Path.of(file))) {
                String[] parts = line.strip().split(":");
                if (parts.length == 3) {
                    users.users.put(parts[0], parts);
                } else if (!line.isBlank() && !line.startsWith("#")) {
                    throw new IOException(file + ": a line is not of the form name:salt:hash");
                }
            }
        }
        return users;
    }

    /** Who asks; <code>null</code> where nobody needs to log in. */
    String visitor(HttpServletRequest request) throws Refusal {
        if (request.getRemoteUser() != null || open) {
            return request.getRemoteUser();
        }
        String header = request.getHeader("Authorization");
        if (header == null || !header.regionMatches(true, 0, "Basic ", 0, 6)) {
            throw new Refusal(401, "log in with your name and password");
        }
        String pair = decode(header.substring(6).strip());
        int colon = pair.indexOf(':');
        String name = pair.substring(0, Math.max(colon, 0));
        // A stranger's password costs as much time as a user's.
        String[] user = users.getOrDefault(name, new String[] {"", "00", "none"});
        byte[] digest = Digests.sha256().digest((pair + ':' + user[1]).getBytes(StandardCharsets.UTF_8));
        String right = Digests.hex(digest);
        if (!known.contains(right)) {
            byte[] hash = hash(pair.substring(colon + 1), user[1]).getBytes(StandardCharsets.US_ASCII);
            if (!MessageDigest.isEqual(hash, user[2].getBytes(StandardCharsets.US_ASCII))) {
                throw new Refusal(401, "name or password is wrong");
            }
            known.add(right);
        }
        return name;
    }

    private static String decode(String base64) {
        try {
            return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException none) {
            return "";
        }
    }

    private static String hash(String password, String salt) {
        try {
            byte[] bytes = HexFormat.of().parseHex(salt);
            PBEKeySpec key = new PBEKeySpec(password.toCharArray(), bytes, ITERATIONS, 256);
            byte[] hash = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(key).getEncoded();
            return Digests.hex(hash);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /**
     * Prints a user's line. The password is the first line of the standard input.
     *
     * @param arguments the user's name
     * @throws IOException when there is no password
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1 || arguments[0].isEmpty() || arguments[0].contains(":")) {
            throw new IllegalArgumentException("give one name, without a colon");
        }
        String password = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).lines().findFirst().orElse("");
        if (password.isEmpty()) {
            throw new IOException("the standard input has no password");
        }
        byte[] salt = new byte[16];
        new SecureRandom().nextBytes(salt);
        System.out.println(arguments[0] + ':' + Digests.hex(salt) + ':' + hash(password, Digests.hex(salt)));
    }
}
