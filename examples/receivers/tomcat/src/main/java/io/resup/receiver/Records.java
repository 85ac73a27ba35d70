package io.resup.receiver;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

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

    /** Finds the upload of this file; <code>null</code> when there is none. Of several the newest counts. */
    Upload find(Identity file) throws SQLException {
        Comparator<Upload> byDigest = Comparator.comparing(upload -> upload.whole().shares(file.digests()));
        Comparator<Upload> byState = Comparator.comparing(
                upload -> upload.state() == Upload.State.COMPLETE && !file.digests().isEmpty());
        return query(0, "SELECT * FROM uploads WHERE file_key = ? ORDER BY changed DESC", file.key()).stream()
                .filter(upload -> upload.isOf(file))
                .sorted(byDigest.thenComparing(byState).reversed())
                .findFirst()
                .orElse(null);
    }

    /** Tells whether there is an upload with exactly these properties. The table takes one of them only. */
    boolean has(Identity file) throws SQLException {
        return query(0, "SELECT * FROM uploads WHERE file_key = ?", file.key()).stream()
                .anyMatch(upload -> upload.file().equals(file));
    }

    /** Finds a complete upload of the same owner with the same content; <code>null</code> when there is none. */
    Upload findContent(Identity file) throws SQLException {
        DigestName name = file.digests().md5().isEmpty() ? DigestName.SHA256 : DigestName.MD5;
        return queryFirst("SELECT * FROM uploads WHERE held_" + name.word()
                        + " = ? AND size = ? AND owner = ? AND state = 'complete'",
                file.digests().get(name), file.size(), file.owner());
    }

    /** Adds a record. Returns <code>false</code> when another request has added one of the same file. */
    boolean insert(Upload upload) throws SQLException {
        Identity file = upload.file();
        try {
            database.update("INSERT INTO uploads (id, file_key, owner, dir, name, size, mtime, md5, sha256,"
                            + " state, held, held_md5, held_sha256, changed)"
                            + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    upload.id(), file.key(), file.owner(), file.dir(), file.name(), file.size(), file.mtime(),
                    file.digests().md5(), file.digests().sha256(), upload.state().word(), upload.offset(),
                    upload.held().md5(), upload.held().sha256(), System.currentTimeMillis());
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
        int rows = database.update("UPDATE uploads SET md5 = ?, sha256 = ?, state = ?, held = ?, held_md5 = ?,"
                        + " held_sha256 = ?, changed = ? WHERE id = ?",
                upload.file().digests().md5(), upload.file().digests().sha256(), upload.state().word(),
                upload.offset(), upload.held().md5(), upload.held().sha256(), System.currentTimeMillis(), upload.id());
        if (rows != 1) {
            throw new SQLException("the record of upload " + upload.id() + " has vanished");
        }
    }

    /** Deletes a record. */
    void delete(Upload upload) throws SQLException {
        database.update("DELETE FROM uploads WHERE id = ?", upload.id());
    }

    private Upload queryFirst(String sql, Object... values) throws SQLException {
        return query(1, sql, values).stream().findFirst().orElse(null);
    }

    /** Lists the uploads that a query finds, <code>most</code> at most; 0 is no limit. */
    private List<Upload> query(int most, String sql, Object... values) throws SQLException {
        return database.use(connection -> {
            List<Upload> found = new ArrayList<>();
            try (PreparedStatement statement = Database.prepare(connection, sql, values)) {
                statement.setMaxRows(most);
                try (ResultSet row = statement.executeQuery()) {
                    while (row.next()) {
                        found.add(toUpload(row));
                    }
                }
            }
            return found;
        });
    }

    private static Upload toUpload(ResultSet row) throws SQLException {
        Identity file = new Identity(row.getString("owner"), row.getString("dir"), row.getString("name"),
                row.getLong("size"), row.getString("mtime"),
                new KnownDigests(row.getString("md5"), row.getString("sha256")));
        return new Upload(row.getString("id"), file, Upload.State.of(row.getString("state")),
                row.getLong("held"), new KnownDigests(row.getString("held_md5"), row.getString("held_sha256")));
    }
}
