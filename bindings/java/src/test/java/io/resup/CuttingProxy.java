package io.resup;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/** A proxy that cuts the first connections, each after so many bytes to the server. */
final class CuttingProxy implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    private final int server;
    private final int after;
    private final AtomicInteger cutsLeft;

    CuttingProxy(int server, int cuts, int after) throws IOException {
        this.server = server;
        this.after = after;
        cutsLeft = new AtomicInteger(cuts);
        daemon(this::accept);
    }

    String endpoint() {
        return "http://127.0.0.1:" + listener.getLocalPort() + "/upload";
    }

    int cutsLeft() {
        return cutsLeft.get();
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Socket upstream = new Socket(InetAddress.getByName("127.0.0.1"), server);
            daemon(() -> {
                try (Socket one = client; Socket other = upstream) {
                    carry(one.getInputStream(), other.getOutputStream());
                }
            });
            daemon(() -> {
                byte[] buffer = new byte[8192];
                InputStream in = upstream.getInputStream();
                for (int n = in.read(buffer); n > 0; n = in.read(buffer))
                    client.getOutputStream().write(buffer, 0, n);
            });
        }
    }

    private void carry(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[8192];
        long carried = 0;
        for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
            out.write(buffer, 0, n);
            carried += n;
            if (carried >= after && cutsLeft.getAndUpdate(left -> Math.max(0, left - 1)) > 0)
                return;
        }
    }

    private interface Work {
        void work() throws IOException;
    }

    private static void daemon(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.work();
            } catch (IOException closed) {
                return;
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
