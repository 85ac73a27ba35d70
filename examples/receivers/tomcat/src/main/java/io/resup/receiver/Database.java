package io.resup.receiver;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Deque;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.concurrent.ConcurrentLinkedDeque;

/** A database of any kind that JDBC supports. Missing tables are made, and connections are used again. */
final class Database implements AutoCloseable {
    private final Driver driver;
    private final String url;
    private final Properties login = new Properties();
    private final Deque<Connection> idle = new ConcurrentLinkedDeque<>();

    /** Work to do with a connection. */
    interface Work<T> {
        /** Does the work. */
        T run(Connection connection) throws SQLException;
    }

    Database(String url, String user, String password) throws SQLException, IOException {
        this.url = url;
        if (!user.isEmpty()) {
            login.setProperty("user", user);
            login.setProperty("password", password);
        }
        driver = driver(url);
        use(Database::makeTables);
    }

    /** Finds the driver, in the web application or in Tomcat. DriverManager does not see those of the application. */
    private static Driver driver(String url) throws SQLException {
        for (Driver driver : ServiceLoader.load(Driver.class, Database.class.getClassLoader())) {
            if (driver.acceptsURL(url)) {
                return driver;
            }
        }
        throw new SQLException("no JDBC driver for " + url.split("\\?")[0] + ": put its jar into Tomcat's lib");
    }

    private static Void makeTables(Connection connection) throws SQLException {
        if (!hasColumn(connection, "nonces", "nonce")) {
            run(connection, "nonces.sql");
        }
        if (hasColumn(connection, "uploads", "sha256")) {
            return null;
        }
        boolean isOld = hasColumn(connection, "uploads", "id");
        connection.setAutoCommit(false);
        if (isOld) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("ALTER TABLE uploads RENAME TO old_uploads");
            }
        }
        run(connection, "uploads.sql");
        if (isOld) {
            run(connection, "upgrade.sql");
        }
        run(connection, "indexes.sql");
        connection.commit();
        connection.setAutoCommit(true);
        return null;
    }

    private static boolean hasColumn(Connection connection, String table, String column) {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT " + column + " FROM " + table + " WHERE 1 = 0")) {
            return !rows.next();
        } catch (SQLException missing) {
            return false;
        }
    }

    /** Runs the commands of a file. */
    private static void run(Connection connection, String file) throws SQLException {
        try (InputStream script = Database.class.getResourceAsStream(file);
                Statement statement = connection.createStatement()) {
            String text = new String(script.readAllBytes(), StandardCharsets.UTF_8).replaceAll("--.*", "");
            for (String command : text.split(";")) {
                if (!command.isBlank()) {
                    statement.execute(command);
                }
            }
        } catch (IOException impossible) {
            throw new SQLException(impossible);
        }
    }

    /** Does some work with a connection. Each statement commits by itself. */
    <T> T use(Work<T> work) throws SQLException {
        Connection connection = idle.poll();
        if (connection == null || !connection.isValid(5)) {
            connection = driver.connect(url, login);
        }
        try {
            T result = work.run(connection);
            idle.push(connection);
            return result;
        } catch (SQLException error) {
            // The connection may be the cause.
            connection.close();
            throw error;
        }
    }

    /** Runs one command. Returns how many rows it has changed. */
    int update(String sql, Object... values) throws SQLException {
        return use(connection -> {
            try (PreparedStatement statement = prepare(connection, sql, values)) {
                return statement.executeUpdate();
            }
        });
    }

    static PreparedStatement prepare(Connection connection, String sql, Object... values) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
        return statement;
    }

    @Override
    public void close() {
        for (Connection connection = idle.poll(); connection != null; connection = idle.poll()) {
            try {
                connection.close();
            } catch (SQLException gone) {
                // It is closed already.
            }
        }
        DriverManager.drivers().filter(one -> one.getClass() == driver.getClass()).forEach(one -> {
            try {
                DriverManager.deregisterDriver(one);
            } catch (SQLException | SecurityException shared) {
                // It is Tomcat's own, and stays.
            }
        });
    }
}
