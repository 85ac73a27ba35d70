package io.resup.receiver;

import java.nio.file.Path;
import java.util.function.UnaryOperator;

/**
 * The settings. Each is looked for among the system properties (<code>-Dresup.data=/srv/uploads</code>), then among
 * the context's parameters (<code>&lt;Parameter name="resup.data" value="/srv/uploads"/&gt;</code>).
 */
final class Settings {
    private final UnaryOperator<String> parameters;

    Settings(UnaryOperator<String> parameters) {
        this.parameters = parameters;
    }

    /** Returns the directory of the files and, if no other is set, of the database. */
    Path data() {
        return Path.of(text("data", Path.of(System.getProperty("catalina.base", ""), "resup").toString()));
    }

    /** Returns the database's address, <code>jdbc:…</code>. */
    String jdbc() {
        String sqlite = "jdbc:sqlite:" + data().resolve("uploads.db")
                + "?journal_mode=WAL&synchronous=FULL&busy_timeout=20000";
        return text("jdbc", sqlite);
    }

    /** Returns the user of the database; may be empty. */
    String jdbcUser() {
        return text("jdbc_user", "");
    }

    /** Returns the password of the database; may be empty. */
    String jdbcPassword() {
        return text("jdbc_password", "");
    }

    /** Returns the file with users and passwords; empty when there is none. */
    String users() {
        return text("users", "");
    }

    /** Returns the file with the signing secret; empty where forms need not be signed. */
    String secretFile() {
        return text("secret_file", "");
    }

    /** Returns the algorithm of the signatures. */
    String algorithm() {
        return text("algorithm", "hmac-sha256");
    }

    /** Returns the limits. */
    Limits limits() {
        return new Limits(maxSegment(), number("max_size", Long.MAX_VALUE), number("commit_bytes", 8 << 20));
    }

    private long maxSegment() {
        long bytes = number("max_segment", 0);
        if (bytes > 0 && bytes < 1000) {
            throw new IllegalArgumentException("resup.max_segment is " + bytes + ": give at least 1000 bytes, or 0");
        }
        return bytes;
    }

    private String text(String name, String fallback) {
        String value = System.getProperty("resup." + name);
        if (value == null) {
            value = parameters.apply("resup." + name);
        }
        return value == null || value.isEmpty() ? fallback : value;
    }

    private long number(String name, long fallback) {
        String value = text(name, Long.toString(fallback));
        try {
            long bytes = Long.parseLong(value);
            if (bytes >= 0) {
                return bytes;
            }
        } catch (NumberFormatException error) {
            // It is refused below.
        }
        throw new IllegalArgumentException("resup." + name + " is '" + value + "': give a number of bytes");
    }
}
