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

    /** Where files and, if no other one is set, the database are. */
    Path data() {
        return Path.of(text("data", Path.of(System.getProperty("catalina.base", ""), "resup").toString()));
    }

    /** The database's address, <code>jdbc:…</code>. */
    String jdbc() {
        String sqlite = "jdbc:sqlite:" + data().resolve("uploads.db")
                + "?journal_mode=WAL&synchronous=FULL&busy_timeout=20000";
        return text("jdbc", sqlite);
    }

    /** Who opens the database; may be empty. */
    String jdbcUser() {
        return text("jdbc_user", "");
    }

    /** With which password. */
    String jdbcPassword() {
        return text("jdbc_password", "");
    }

    /** The file with users and passwords; empty where there are none of our own. */
    String users() {
        return text("users", "");
    }

    /** The file with the signing secret; empty where forms need not be signed. */
    String secretFile() {
        return text("secret_file", "");
    }

    /** How forms are signed. */
    String algorithm() {
        return text("algorithm", "hmac-sha256");
    }

    /** The most file bytes that one send may carry; 0 where there is no limit. */
    long maxSegment() {
        return number("max_segment", 0);
    }

    /** The most bytes that a file may have. */
    long maxSize() {
        return number("max_size", Long.MAX_VALUE);
    }

    /** The most bytes that are received before they are made durable. */
    long commitBytes() {
        return number("commit_bytes", 8 << 20);
    }

    private String text(String name, String otherwise) {
        String value = System.getProperty("resup." + name);
        if (value == null) {
            value = parameters.apply("resup." + name);
        }
        return value == null || value.isEmpty() ? otherwise : value;
    }

    private long number(String name, long otherwise) {
        String value = text(name, Long.toString(otherwise));
        try {
            return Long.parseUnsignedLong(value);
        } catch (NumberFormatException none) {
            throw new IllegalArgumentException("resup." + name + " is '" + value + "': give a number of bytes");
        }
    }
}
