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
        use(connection -> hasTables(connection) ? null : create(connection));
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

    private static boolean hasTables(Connection connection) {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM uploads WHERE id = ''")) {
            return !rows.next();
        } catch (SQLException missing) {
            return false;
        }
    }

    private static Void create(Connection connection) throws SQLException {
        try (InputStream script = Database.class.getResourceAsStream("tables.sql");
                Statement statement = connection.createStatement()) {
            String text = new String(script.readAllBytes(), StandardCharsets.UTF_8).replaceAll("--.*", "");
            for (String command : text.split(";")) {
                if (!command.isBlank()) {
                    statement.execute(command);
                }
            }
            return null;
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
