package io.resup;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The real receiver, as a process, on a port that the system chooses. */
final class Receiver implements AutoCloseable {
    private final String[] arguments;
    private final Path data;
    private Process process;
    private String endpoint;

    Receiver(String... arguments) throws IOException {
        this.arguments = arguments;
        data = Files.createTempDirectory("resup-receiver");
        start();
    }

    private static String binary() {
        String binary = System.getProperty("resup.test.receiver", "");
        if (binary.isEmpty() || binary.startsWith("$"))
            throw new IllegalStateException("RESUP_RECEIVER does not name the receiver's binary");
        return binary;
    }

    private void start() throws IOException {
        List<String> command = new ArrayList<>(Arrays.asList(binary(), "--data", data.toString(), "--listen", "127.0.0.1:0"));
        command.addAll(Arrays.asList(arguments));
        process = new ProcessBuilder(command).redirectError(log().toFile()).start();
        BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = out.readLine();
        if (line == null || !line.startsWith("listening on "))
            throw new IllegalStateException("the receiver did not start: " + line + "\n" + stderr());
        endpoint = line.substring("listening on ".length());
    }

    /** Runs a command of the receiver with this standard input. */
    void admin(String input, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(Arrays.asList(binary(), "--data", data.toString()));
        command.addAll(Arrays.asList(arguments));
        Process admin = new ProcessBuilder(command).inheritIO().redirectInput(ProcessBuilder.Redirect.PIPE).start();
        admin.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
        admin.getOutputStream().close();
        if (admin.waitFor() != 0)
            throw new IllegalStateException("the receiver's command failed: " + command);
    }

    String endpoint() {
        return endpoint;
    }

    int port() {
        return Integer.parseInt(endpoint.replaceAll(".*:(\\d+)/.*", "$1"));
    }

    /** Returns the path of a finished file. */
    Path stored(UploadResult result) {
        return stored(result.id().get());
    }

    Path stored(String id) {
        return data.resolve("files").resolve(id);
    }

    /** Returns the record of an upload as JSON. */
    String record(UploadResult result) throws IOException {
        URL url = new URL(endpoint.replace("/upload", "/uploads/" + result.id().get()));
        HttpURLConnection connection = (HttpURLConnection) url.openConnection();
        try (InputStream body = connection.getInputStream()) {
            return new String(Some.all(body), StandardCharsets.UTF_8);
        }
    }

    private Path log() {
        return Paths.get(data + ".log");
    }

    String stderr() throws IOException {
        return new String(Files.readAllBytes(log()), StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Some.remove(data);
        Files.delete(log());
    }
}
