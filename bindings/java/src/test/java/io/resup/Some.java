package io.resup;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Helpers of several tests. */
final class Some {
    private Some() {
    }

    /** Returns random bytes, always the same ones for a size. */
    static byte[] bytes(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    static Path file(Path directory, String name, int size) throws IOException {
        return Files.write(directory.resolve(name), bytes(size));
    }

    static byte[] all(InputStream stream) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[65536];
        for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer))
            all.write(buffer, 0, n);
        return all.toByteArray();
    }

    static void assertStored(Receiver receiver, UploadResult result, byte[] bytes) throws IOException {
        assertTrue(Arrays.equals(bytes, Files.readAllBytes(receiver.stored(result))), "what arrived is what was sent");
    }

    /** Waits until a condition is true, for a minute at most. */
    static void until(String what, Callable<Boolean> condition) throws Exception {
        if (!comes(60_000, condition))
            throw new AssertionError("it never came to this: " + what);
    }

    /** Waits until a condition is true, and returns whether that was so within so many milliseconds. */
    static boolean comes(int milliseconds, Callable<Boolean> condition) throws Exception {
        for (int waited = 0; !condition.call(); waited += 10) {
            if (waited >= milliseconds)
                return false;
            Thread.sleep(10);
        }
        return true;
    }

    static void remove(Path directory) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(directory)) {
            all = walk.sorted(Comparator.reverseOrder()).collect(Collectors.toList());
        }
        for (Path path : all)
            Files.delete(path);
    }

    static List<String> words(String... words) {
        return new ArrayList<>(Arrays.asList(words));
    }
}
