package io.resup.receiver;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The named values of a form, limited in number and length, and read by their types. */
final class Fields {
    /** The most fields that a form may have. */
    static final int MAX_FIELDS = 100;
    /** The most bytes in one value. */
    static final int MAX_VALUE = 16 << 10;
    /** The most bytes in an urlencoded form, and in all fields of a multipart form. */
    static final int MAX_FORM = 64 << 10;

    private static final int MAX_DIR = 1024;

    /** A field as it was received. */
    record Field(String name, String value) {}

    private final List<Field> fields = new ArrayList<>();
    private int bytes;

    /** Reads a whole body of <code>name=value&amp;…</code>. */
    static Fields parse(InputStream body) throws Refusal {
        try {
            byte[] text = body.readNBytes(MAX_FORM + 1);
            if (text.length > MAX_FORM) {
                throw new Refusal(413, "the form has more than " + MAX_FORM + " bytes");
            }
            // One char for each byte; they become text when they are decoded.
            return parse(new String(text, StandardCharsets.ISO_8859_1));
        } catch (IOException error) {
            throw Multipart.invalidForm(error.getMessage());
        }
    }

    /** Reads <code>name=value&amp;…</code> as a browser writes it. */
    static Fields parse(String text) throws Refusal {
        Fields fields = new Fields();
        for (String pair : text.split("&")) {
            if (!pair.isEmpty()) {
                int equals = pair.indexOf('=');
                String name = decode(equals < 0 ? pair : pair.substring(0, equals));
                fields.add(name, equals < 0 ? "" : decode(pair.substring(equals + 1)));
            }
        }
        return fields;
    }

    private static String decode(String text) throws Refusal {
        ByteArrayOutputStream decoded = new ByteArrayOutputStream(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '%' && i + 2 < text.length()) {
                int high = Character.digit(text.charAt(i + 1), 16);
                int low = Character.digit(text.charAt(i + 2), 16);
                if (high >= 0 && low >= 0) {
                    decoded.write(16 * high + low);
                    i += 2;
                    continue;
                }
            }
            decoded.write(c == '+' ? ' ' : c);
        }
        return decodeUtf8("the form", decoded.toByteArray());
    }

    /** Decodes bytes as UTF-8. Others are refused: else two names could become one. */
    static String decodeUtf8(String what, byte[] bytes) throws Refusal {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException error) {
            throw new Refusal(400, JsonResponse.excerpt(what) + " is not UTF-8");
        }
    }

    /** Adds a field. Refuses too many and too long ones. */
    void add(String name, String value) throws Refusal {
        bytes += name.length() + value.length();
        if (fields.size() == MAX_FIELDS || bytes > MAX_FORM) {
            throw new Refusal(400, "the form has more than " + MAX_FIELDS + " fields, or they are too long");
        }
        if (value.length() > MAX_VALUE) {
            throw tooLong(name, MAX_VALUE);
        }
        fields.add(new Field(name, value));
    }

    /** Makes the refusal of a value that is too long. */
    static Refusal tooLong(String name, int most) {
        return new Refusal(400, "the value of field '" + JsonResponse.excerpt(name) + "' is longer than " + most);
    }

    /** Lists all fields, in the order in which they were received. */
    List<Field> all() {
        return fields;
    }

    /** Returns the value as it was received, or <code>null</code>. Of two fields of one name the first counts. */
    String text(String name) {
        for (Field field : fields) {
            if (field.name().equals(name)) {
                return field.value();
            }
        }
        return null;
    }

    /** Returns the value as it was received; empty when it is missing. */
    String textOrEmpty(String name) {
        String value = text(name);
        return value == null ? "" : value;
    }

    /** Returns the value. Refuses the form when it is missing. */
    String required(String name) throws Refusal {
        String value = text(name);
        if (value == null) {
            throw new Refusal(400, "field '" + name + "' is missing");
        }
        return value;
    }

    /** Reads the file's name. */
    String name() throws Refusal {
        String name = required("name");
        checkName("name", name);
        return name;
    }

    /** Reads the directory that the client asks for. */
    String dir() throws Refusal {
        String dir = textOrEmpty("dir");
        if (dir.length() > 1 && dir.endsWith("/")) {
            dir = dir.substring(0, dir.length() - 1);
        }
        if (dir.length() > MAX_DIR) {
            throw tooLong("dir", MAX_DIR);
        }
        if (!dir.isEmpty()) {
            for (String part : dir.split("/", -1)) {
                checkName("dir", part);
            }
        }
        return dir;
    }

    /** Checks a name. This receiver builds no path of names, but a reader of the records may. */
    private static void checkName(String field, String name) throws Refusal {
        boolean path = name.isEmpty() || name.equals(".") || name.equals("..")
                || name.indexOf('/') >= 0 || name.indexOf('\0') >= 0;
        if (path) {
            throw Refusal.ofField(field, name);
        }
        if (name.getBytes(StandardCharsets.UTF_8).length > 255) {
            throw tooLong(field, 255);
        }
    }

    /** Reads a number of bytes. */
    long bytes(String name) throws Refusal {
        String value = required(name);
        try {
            if (value.matches("[0-9]+")) {
                return Long.parseLong(value);
            }
        } catch (NumberFormatException tooLarge) {
            // Refused below.
        }
        throw Refusal.ofField(name, value);
    }

    /** Reads milliseconds since 1970, without leading zeros or a plus; empty when missing. */
    String mtime() throws Refusal {
        String value = textOrEmpty("mtime");
        try {
            return value.isEmpty() ? value : Long.toString(Long.parseLong(value));
        } catch (NumberFormatException error) {
            throw Refusal.ofField("mtime", value);
        }
    }

    /** Reads a hexadecimal digest of <code>length</code> bytes. Returns it in lower case; empty when missing. */
    String digest(String name, int length) throws Refusal {
        String value = textOrEmpty(name);
        if (value.isEmpty() || value.matches("[0-9a-fA-F]{" + 2 * length + "}")) {
            return value.toLowerCase(Locale.ROOT);
        }
        throw Refusal.ofField(name, value);
    }
}
