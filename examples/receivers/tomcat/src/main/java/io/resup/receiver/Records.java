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

    /** Finds the owner's upload with this id; <code>null</code> when there is none. */
    Upload find(String owner, String id) throws SQLException {
        Upload upload = queryFirst("SELECT * FROM uploads WHERE id = ?", id);
        return upload != null && upload.id().equals(id) && upload.file().owner().equals(owner) ? upload : null;
    }

    /**
     * Finds the upload of this file, by MD5 where the client gave one, else by modification time; <code>null</code>
     * when there is none.
     *
     * <p>A client may know the MD5 only after its first request: an unfinished upload without one and with the same
     * modification time is the same file.
     */
    Upload find(Identity file) throws SQLException {
        if (file.md5().isEmpty()) {
            return queryFirst("SELECT * FROM uploads WHERE file_key = ? AND mtime = ? ORDER BY changed DESC",
                    file.key(), file.mtime());
        }
        return queryFirst("SELECT * FROM uploads WHERE file_key = ? AND (md5 = ?"
                        + " OR (state = 'complete' AND held_md5 = ?)"
                        + " OR (state <> 'complete' AND md5 = '' AND mtime = ?))"
                        + " ORDER BY CASE WHEN state = 'complete' THEN 0 ELSE 1 END,"
                        + " CASE WHEN md5 = ? THEN 0 ELSE 1 END, changed DESC",
                file.key(), file.md5(), file.md5(), file.mtime(), file.md5());
    }

    /** Finds a complete upload of the same owner with the same content; <code>null</code> when there is none. */
    Upload findContent(Identity file) throws SQLException {
        return queryFirst(
                "SELECT * FROM uploads WHERE held_md5 = ? AND size = ? AND owner = ? AND state = 'complete'",
                file.md5(), file.size(), file.owner());
    }

    /** Adds a record. Returns <code>false</code> when another request has added one of the same file. */
    boolean insert(Upload upload) throws SQLException {
        Identity file = upload.file();
        try {
            database.update("INSERT INTO uploads (id, file_key, owner, dir, name, size, mtime, md5,"
                            + " state, held, held_md5, held_sha256, changed)"
                            + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    upload.id(), file.key(), file.owner(), file.dir(), file.name(), file.size(), file.mtime(),
                    file.md5(), upload.state().word(), upload.offset(), upload.prefixMd5(), upload.prefixSha256(),
                    System.currentTimeMillis());
            return true;
        } catch (SQLException error) {
            // Each database reports a duplicate key in its own way.
            if (find(file) != null) {
                return false;
            }
            throw error;
        }
    }

    /** Saves a record durably. */
    void save(Upload upload) throws SQLException {
        int rows = database.update("UPDATE uploads SET md5 = ?, state = ?, held = ?, held_md5 = ?, held_sha256 = ?,"
                        + " changed = ? WHERE id = ?",
                upload.file().md5(), upload.state().word(), upload.offset(), upload.prefixMd5(), upload.prefixSha256(),
                System.currentTimeMillis(), upload.id());
        if (rows != 1) {
            throw new SQLException("the record of upload " + upload.id() + " has vanished");
        }
    }

    private Upload queryFirst(String sql, Object... values) throws SQLException {
        return database.use(connection -> {
            try (PreparedStatement statement = Database.prepare(connection, sql, values)) {
                statement.setMaxRows(1);
                try (ResultSet row = statement.executeQuery()) {
                    return row.next() ? toUpload(row) : null;
                }
            }
        });
    }

    private static Upload toUpload(ResultSet row) throws SQLException {
        Identity file = new Identity(row.getString("owner"), row.getString("dir"), row.getString("name"),
                row.getLong("size"), row.getString("mtime"), row.getString("md5"));
        return new Upload(row.getString("id"), file, Upload.State.of(row.getString("state")),
                row.getLong("held"), row.getString("held_md5"), row.getString("held_sha256"));
    }
}
