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
 * The users who may upload, by HTTP Basic: those whom the container has authenticated, or those of a file with lines
 * <code>name:salt:hash</code>. {@link #main} prints such a line.
 */
public final class Users {
    private static final int ITERATIONS = 210_000;

    private final Map<String, String[]> users = new HashMap<>();
    private final boolean loginOptional;
    /** Digests of logins that were right, since the hash of a password takes long to compute. */
    private final Set<String> verified = ConcurrentHashMap.newKeySet();

    private Users(boolean loginOptional) {
        this.loginOptional = loginOptional;
    }

    /** Reads the file. Without one, everybody may upload whom the container lets through. */
    static Users read(String file) throws IOException {
        Users users = new Users(file.isEmpty());
        if (!users.loginOptional) {
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

    /** Returns the name of the user; <code>null</code> where no login is needed. */
    String authenticate(HttpServletRequest request) throws Refusal {
        if (request.getRemoteUser() != null || loginOptional) {
            return request.getRemoteUser();
        }
        String header = request.getHeader("Authorization");
        if (header == null || !header.regionMatches(true, 0, "Basic ", 0, 6)) {
            throw new Refusal(401, "log in with your name and password");
        }
        String pair = decode(header.substring(6).strip());
        int colon = pair.indexOf(':');
        String name = pair.substring(0, Math.max(colon, 0));
        // An unknown name takes as much time as a known one.
        String[] user = users.getOrDefault(name, new String[] {"", "00", "none"});
        byte[] digest = Digests.sha256().digest((pair + ':' + user[1]).getBytes(StandardCharsets.UTF_8));
        String key = Digests.hex(digest);
        if (!verified.contains(key)) {
            byte[] hash = hash(pair.substring(colon + 1), user[1]).getBytes(StandardCharsets.US_ASCII);
            if (!MessageDigest.isEqual(hash, user[2].getBytes(StandardCharsets.US_ASCII))) {
                throw new Refusal(401, "name or password is wrong");
            }
            verified.add(key);
        }
        return name;
    }

    private static String decode(String base64) {
        try {
            return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException error) {
            return "";
        }
    }

    private static String hash(String password, String salt) {
        try {
            byte[] bytes = HexFormat.of().parseHex(salt);
            PBEKeySpec spec = new PBEKeySpec(password.toCharArray(), bytes, ITERATIONS, 256);
            byte[] hash = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
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
