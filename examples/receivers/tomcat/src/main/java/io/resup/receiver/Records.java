package io.resup.receiver;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** The records of uploads in the database. */
final class Records {
    private final Database database;

    Records(Database database) {
        this.database = database;
    }

    /** The owner's upload with this id, or <code>null</code>. */
    Upload find(String owner, String id) throws SQLException {
        Upload upload = first("SELECT * FROM uploads WHERE id = ?", id);
        return upload != null && upload.id().equals(id) && upload.file().owner().equals(owner) ? upload : null;
    }

    /**
     * The upload of this file, or <code>null</code>: by MD5 where the client gave one, else by modification time.
     *
     * <p>A client may learn the MD5 only after its first visit: an unfinished upload without one and with the same
     * modification time is the same file.
     */
    Upload find(Identity file) throws SQLException {
        if (file.md5().isEmpty()) {
            return first("SELECT * FROM uploads WHERE file_key = ? AND mtime = ? ORDER BY changed DESC",
                    file.key(), file.mtime());
        }
        return first("SELECT * FROM uploads WHERE file_key = ? AND (md5 = ?"
                        + " OR (state = 'complete' AND held_md5 = ?)"
                        + " OR (state <> 'complete' AND md5 = '' AND mtime = ?))"
                        + " ORDER BY CASE WHEN state = 'complete' THEN 0 ELSE 1 END,"
                        + " CASE WHEN md5 = ? THEN 0 ELSE 1 END, changed DESC",
                file.key(), file.md5(), file.md5(), file.mtime(), file.md5());
    }

    /** A finished upload of the same owner with the same content, or <code>null</code>. */
    Upload findContent(Identity file) throws SQLException {
        return first("SELECT * FROM uploads WHERE held_md5 = ? AND size = ? AND owner = ? AND state = 'complete'",
                file.md5(), file.size(), file.owner());
    }

    /** Adds a record; <code>false</code> when another request has been faster with the same file. */
    boolean insert(Upload upload) throws SQLException {
        Identity file = upload.file();
        try {
            database.run("INSERT INTO uploads (id, file_key, owner, dir, name, size, mtime, md5,"
                            + " state, held, held_md5, held_sha256, changed)"
                            + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    upload.id(), file.key(), file.owner(), file.dir(), file.name(), file.size(), file.mtime(),
                    file.md5(), upload.state().word(), upload.held(), upload.heldMd5(), upload.heldSha256(),
                    System.currentTimeMillis());
            return true;
        } catch (SQLException error) {
            // Each database says in its own way that a key is taken.
            if (find(file) != null) {
                return false;
            }
            throw error;
        }
    }

    /** Makes a record durable as it is now. */
    void save(Upload upload) throws SQLException {
        int rows = database.run("UPDATE uploads SET md5 = ?, state = ?, held = ?, held_md5 = ?, held_sha256 = ?,"
                        + " changed = ? WHERE id = ?",
                upload.file().md5(), upload.state().word(), upload.held(), upload.heldMd5(), upload.heldSha256(),
                System.currentTimeMillis(), upload.id());
        if (rows != 1) {
            throw new SQLException("the record of upload " + upload.id() + " has vanished");
        }
    }

    private Upload first(String sql, Object... values) throws SQLException {
        return database.use(connection -> {
            try (PreparedStatement statement = Database.prepare(connection, sql, values)) {
                statement.setMaxRows(1);
                try (ResultSet row = statement.executeQuery()) {
                    return row.next() ? upload(row) : null;
                }
            }
        });
    }

    private static Upload upload(ResultSet row) throws SQLException {
        Identity file = new Identity(row.getString("owner"), row.getString("dir"), row.getString("name"),
                row.getLong("size"), row.getString("mtime"), row.getString("md5"));
        return new Upload(row.getString("id"), file, Upload.State.of(row.getString("state")),
                row.getLong("held"), row.getString("held_md5"), row.getString("held_sha256"));
    }
}
