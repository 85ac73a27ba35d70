package io.resup;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** An HTTP server that answers requests with these bodies in turn, and from then on with the last one. */
final class ScriptedServer implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    private final String[] bodies;
    private volatile int requests;

    ScriptedServer(String... bodies) throws IOException {
        this.bodies = bodies;
        Thread thread = new Thread(this::serve);
        thread.setDaemon(true);
        thread.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + listener.getLocalPort() + "/upload";
    }

    /** Counts the requests that were answered. */
    int requests() {
        return requests;
    }

    /** Serves one connection after the other, each for one request. */
    private void serve() {
        while (!listener.isClosed()) {
            try (Socket client = listener.accept()) {
                read(new BufferedInputStream(client.getInputStream()));
                String body = bodies[Math.min(requests, bodies.length - 1)];
                String type = body.startsWith("{") ? "application/json" : "text/html";
                client.getOutputStream().write(("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: "
                    + body.length() + "\r\nConnection: close\r\n\r\n" + body).getBytes(StandardCharsets.US_ASCII));
                requests++;
            } catch (IOException gone) {
                continue;
            }
        }
    }

    private static void read(InputStream in) throws IOException {
        long length = 0;
        for (String line = line(in); !line.isEmpty(); line = line(in))
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:"))
                length = Long.parseLong(line.substring(15).trim());
        for (; length > 0; length--)
            if (in.read() < 0)
                throw new IOException("the request was cut");
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0)
                throw new IOException("the request was cut");
            if (c != '\r')
                line.append((char) c);
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
