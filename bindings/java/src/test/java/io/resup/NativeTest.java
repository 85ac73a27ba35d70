package io.resup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToIntFunction;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What both sides of the binding must agree on: functions, codes, the order of the numbers. */
class NativeTest {
    private static final Path HEADER = Paths.get(System.getProperty("resup.test.examples"), "../../include/resup.h");
    /** Statuses that only misuse of the C API has. */
    private static final List<String> ONLY_IN_C = Arrays.asList("NULL", "HANDLE", "FREED", "HANDLE_KIND", "UTF8", "BUSY");
    @TempDir
    Path directory;

    /** Returns the names of the functions that Java looks for. */
    private static TreeSet<String> declared() throws Exception {
        TreeSet<String> functions = new TreeSet<>();
        try (JarFile jar = new JarFile(System.getProperty("resup.test.jar"))) {
            List<String> classes = jar.stream().map(entry -> entry.getName()).filter(name -> name.endsWith(".class"))
                .map(name -> name.replace(".class", "").replace('/', '.')).collect(Collectors.toList());
            for (String name : classes)
                for (Method method : Class.forName(name, false, Loader.class.getClassLoader()).getDeclaredMethods())
                    if (Modifier.isNative(method.getModifiers()))
                        functions.add("Java_" + name.replace('.', '_') + "_" + method.getName());
        }
        return functions;
    }

    /** Returns the names of the functions for Java in the library of the jar. */
    private TreeSet<String> exported() throws Exception {
        Path library = directory.resolve("library");
        try (InputStream resource = Loader.class.getResourceAsStream("native/linux-x86_64/libresup_jni.so")) {
            Files.copy(resource, library);
        }
        String symbols = Child.command(Some.words("nm", "-D", "--defined-only", library.toString())).rest();
        TreeSet<String> functions = new TreeSet<>();
        Matcher symbol = Pattern.compile("\\bJava_\\w+").matcher(symbols);
        while (symbol.find())
            functions.add(symbol.group());
        return functions;
    }

    @Test
    void every_native_method_has_its_function_and_every_function_its_method() throws Exception {
        TreeSet<String> declared = declared();
        assertTrue(declared.contains("Java_io_resup_NativeClient_setUser"), declared.toString());
        assertEquals(declared, exported());
    }

    /** Returns the constants of the C API with this prefix, without it. */
    private static Map<String, Integer> constants(String prefix) throws IOException {
        String header = new String(Files.readAllBytes(HEADER), StandardCharsets.UTF_8);
        Map<String, Integer> constants = new TreeMap<>();
        Matcher define = Pattern.compile("(?m)^#define " + prefix + "(\\w+) (\\d+)$").matcher(header);
        while (define.find())
            constants.put(define.group(1), Integer.valueOf(define.group(2)));
        return constants;
    }

    private static <E extends Enum<E>> Map<String, Integer> codes(E[] constants, ToIntFunction<E> codeOf) {
        Map<String, Integer> codes = new TreeMap<>();
        for (E constant : constants)
            codes.put(constant.name(), codeOf.applyAsInt(constant));
        return codes;
    }

    @Test
    void codes_are_those_of_the_c_header() throws IOException {
        assertEquals(constants("RESUP_STATE_"), codes(UploadState.values(), state -> state.code));
        assertEquals(constants("RESUP_LOG_"), codes(LogLevel.values(), level -> level.code));
        assertEquals(constants("RESUP_PROTOCOL_"), codes(Protocol.values(), protocol -> protocol.code));
        assertEquals(constants("RESUP_LOCATE_"), codes(LocateMethod.values(), method -> method.code));
        assertEquals(constants("RESUP_SIGNING_"), codes(SigningAlgorithm.values(), algorithm -> algorithm.code));
        assertEquals(constants("RESUP_TRUST_"), codes(Trust.values(), trust -> trust.code));
        assertEquals(constants("RESUP_FILENAME_"), codes(FilenameStyle.values(), style -> style.code));
        Map<String, Integer> errors = constants("RESUP_E_");
        assertTrue(errors.keySet().containsAll(ONLY_IN_C), errors.toString());
        errors.keySet().removeAll(ONLY_IN_C);
        assertEquals(errors, codes(ErrorCode.values(), ErrorCode::number));
        assertEquals(constants("RESUP_DIGEST_(?!ALGORITHM)"), codes(Digest.values(), digest -> digest.code));
        assertEquals(constants("RESUP_DIGEST_ALGORITHM_"),
            codes(DigestAlgorithm.values(), algorithm -> algorithm.code));
    }

    @Test
    void codes_of_the_library_become_constants() {
        for (UploadState state : UploadState.values())
            assertEquals(state, UploadState.of(state.code));
        for (LogLevel level : LogLevel.values())
            assertEquals(level, LogLevel.of(level.code));
        for (DigestAlgorithm algorithm : DigestAlgorithm.values())
            assertEquals(algorithm, DigestAlgorithm.of(algorithm.code));
        for (ErrorCode error : ErrorCode.values())
            assertEquals(error, ErrorCode.of(error.number()));
        assertEquals("the native library sent the code 77, and no LogLevel has it",
            assertThrows(IllegalStateException.class, () -> LogLevel.of(77)).getMessage());
    }

    /** Returns the message with which a setting refuses the code -7. */
    private static String refusal(Object handle, String setting) throws Exception {
        Method method = handle.getClass().getDeclaredMethod(setting, long.class, int.class);
        method.setAccessible(true);
        long number = ((Handle) handle).number;
        Throwable thrown = assertThrows(InvocationTargetException.class, () -> method.invoke(handle, number, -7)).getCause();
        assertEquals(IllegalArgumentException.class, thrown.getClass());
        return thrown.getMessage();
    }

    @Test
    void the_library_refuses_codes_and_numbers_that_it_does_not_know() throws Exception {
        Loader.load();
        NativeClient client = new NativeClient("http://127.0.0.1:9/");
        assertEquals("no protocol has the code -7", refusal(client, "setProtocol"));
        assertEquals("no locate method has the code -7", refusal(client, "setLocateMethod"));
        assertEquals("no signing algorithm has the code -7", refusal(client, "setSigningAlgorithm"));
        assertEquals("no trust has the code -7", refusal(client, "setTrust"));
        assertEquals("no file name style has the code -7", refusal(client, "setFilenameStyle"));
        assertEquals("no log level has the code -7", refusal(client, "setLogLevel"));
        assertEquals("the number must not be less than 0, but is -7", refusal(client, "setRetryLimit"));
        NativeUpload upload = client.uploadBytes(new byte[0], "x");
        assertEquals("no digest mode has the code -7", refusal(upload, "setDigest"));
        assertEquals("no digest algorithm has the code -7", refusal(upload, "setDigestAlgorithm"));
        assertEquals("the number must not be less than 0, but is -7", refusal(upload, "setConnections"));
        client.free();
        upload.free();
    }

    @Test
    void numbers_have_the_same_order_on_both_sides() {
        Loader.load();
        List<String> names = Arrays.stream(UploadProgress.Field.values()).map(Enum::name).collect(Collectors.toList());
        assertEquals(names, Arrays.asList(Text.of(Native.numbers()).split(" ")));
    }
}
