package io.resup.receiver;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Numbers of signed forms: each is good once, also after a restart. */
final class Nonces {
    private final Database database;

    Nonces(Database database) {
        this.database = database;
    }

    /** Takes note of a number until then; <code>false</code> when it was seen before. */
    boolean isNew(String nonce, long expires) throws SQLException {
        database.run("DELETE FROM nonces WHERE expires < ?", System.currentTimeMillis());
        try {
            database.run("INSERT INTO nonces (nonce, expires) VALUES (?, ?)", nonce, expires);
            return true;
        } catch (SQLException error) {
            if (isKnown(nonce)) {
                return false;
            }
            throw error;
        }
    }

    private boolean isKnown(String nonce) throws SQLException {
        return database.use(connection -> {
            String sql = "SELECT nonce FROM nonces WHERE nonce = ?";
            try (PreparedStatement statement = Database.prepare(connection, sql, nonce);
                    ResultSet row = statement.executeQuery()) {
                return row.next();
            }
        });
    }
}
