package io.resup.receiver;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** The nonces of signed forms. Each is valid once, also after a restart. */
final class Nonces {
    private final Database database;

    Nonces(Database database) {
        this.database = database;
    }

    /** Stores a nonce until it expires. Returns <code>false</code> when it is known already. */
    boolean addIfNew(String nonce, long expires) throws SQLException {
        database.update("DELETE FROM nonces WHERE expires < ?", System.currentTimeMillis());
        try {
            database.update("INSERT INTO nonces (nonce, expires) VALUES (?, ?)", nonce, expires);
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
