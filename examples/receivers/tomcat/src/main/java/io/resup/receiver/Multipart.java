package io.resup.receiver;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * A reader of a multipart form: part by part as it arrives, limited in size.
 *
 * <p>The servlet API's own parts (<code>getPart</code>) are there only when the whole body is: a connection loss would
 * cost all of it.
 */
final class Multipart {
    private static final int MAX_HEADER = 8 << 10;

    private final InputStream body;
    /** The end of a part: a line's end, two hyphens and the boundary. */
    private final byte[] delimiter;
    private final byte[] buffer = new byte[64 << 10];
    /** The start of the bytes in the buffer that are not yet returned. */
    private int begin;
    /** The end of these bytes. */
    private int end;
    private int parts;

    Multipart(InputStream body, String boundary) {
        this.body = body;
        delimiter = ("\r\n--" + boundary).getBytes(StandardCharsets.ISO_8859_1);
        // The first boundary has no line before it.
        buffer[0] = '\r';
        buffer[1] = '\n';
        end = 2;
    }

    /** Reads the boundary from a Content-Type. */
    static String boundary(String type) throws Refusal {
        String boundary = Parameters.find(type, "boundary");
        if (boundary == null || boundary.isEmpty()) {
            throw new Refusal(400, "Content-Type '" + JsonResponse.excerpt(type) + "' has no boundary");
        }
        return boundary;
    }

    /**
     * Goes to the next part and returns its name, as it stands between the quotes; <code>null</code> at the end of the
     * form.
     */
    String nextPart() throws Refusal {
        int skipped = 0;
        for (ByteBuffer chunk = nextChunk(); chunk != null; chunk = nextChunk()) {
            skipped += chunk.remaining();
            if (skipped > MAX_HEADER) {
                throw invalidForm("there is no boundary where one should be");
            }
        }
        begin += delimiter.length;
        while (end - begin < 2) {
            fill();
        }
        if (buffer[begin] == '-' && buffer[begin + 1] == '-') {
            return null;
        }
        // One more for the file.
        if (++parts > Fields.MAX_FIELDS + 1) {
            throw new Refusal(400, "the form has more than " + Fields.MAX_FIELDS + " fields");
        }
        int header = 0;
        String name = null;
        if (!readLine().isBlank()) {
            throw invalidForm("there is more than the boundary in its line");
        }
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            header += line.length();
            if (header > MAX_HEADER) {
                throw invalidForm("a part's header has more than " + MAX_HEADER + " bytes");
            }
            if (line.indexOf('\n') >= 0) {
                throw invalidForm("a line of a part's header ends without a carriage return");
            }
            if (line.toLowerCase(Locale.ROOT).startsWith("content-disposition:")) {
                if (name != null) {
                    throw invalidForm("a part has Content-Disposition twice");
                }
                name = Parameters.find(line, "name");
            }
        }
        if (name == null) {
            throw new Refusal(400, "a part has no name");
        }
        return name;
    }

    /** Returns the next bytes of the part; <code>null</code> at its end. They are valid until the next call. */
    ByteBuffer nextChunk() throws Refusal {
        while (true) {
            int from = begin;
            while (begin < end && !startsDelimiter(begin)) {
                begin++;
            }
            if (begin > from) {
                return ByteBuffer.wrap(buffer, from, begin - from);
            }
            if (end - begin >= delimiter.length) {
                return null;
            }
            fill();
        }
    }

    /** Tells whether the bytes here start the delimiter, as far as they were received. */
    private boolean startsDelimiter(int at) {
        int length = Math.min(delimiter.length, end - at);
        for (int i = 0; i < length; i++) {
            if (buffer[at + i] != delimiter[i]) {
                return false;
            }
        }
        return true;
    }

    /** Reads the fields up to the beginning of the file. */
    Fields readHead() throws Refusal {
        Fields fields = new Fields();
        for (String name = nextPart(); !"file".equals(name); name = nextPart()) {
            if (name == null) {
                throw new Refusal(400, "the part 'file' is missing");
            }
            fields.add(name, readValue(name));
        }
        return fields;
    }

    /** Reads the fields after the file. */
    Fields readTail() throws Refusal {
        Fields fields = new Fields();
        for (String name = nextPart(); name != null; name = nextPart()) {
            if (name.equals("file")) {
                throw new Refusal(400, "the form has a second part 'file'");
            }
            fields.add(name, readValue(name));
        }
        return fields;
    }

    /** Reads the whole part, as the value of the field <code>name</code>. */
    String readValue(String name) throws Refusal {
        ByteArrayOutputStream value = new ByteArrayOutputStream();
        for (ByteBuffer chunk = nextChunk(); chunk != null; chunk = nextChunk()) {
            value.write(buffer, chunk.position(), chunk.remaining());
            if (value.size() > Fields.MAX_VALUE) {
                throw Fields.tooLong(name, Fields.MAX_VALUE);
            }
        }
        return Fields.decodeUtf8("field '" + name + "'", value.toByteArray());
    }

    /** Reads a line of a part's header. Returns it without its end. */
    private String readLine() throws Refusal {
        int length = 0;
        while (true) {
            for (; begin + length + 1 < end; length++) {
                if (buffer[begin + length] == '\r' && buffer[begin + length + 1] == '\n') {
                    // One char for each byte.
                    String line = new String(buffer, begin, length, StandardCharsets.ISO_8859_1);
                    begin += length + 2;
                    return line;
                }
            }
            if (length > MAX_HEADER) {
                throw invalidForm("a line of a part's header has more than " + MAX_HEADER + " bytes");
            }
            fill();
        }
    }

    /** Reads more of the body into the buffer. */
    private void fill() throws Refusal {
        System.arraycopy(buffer, begin, buffer, 0, end - begin);
        end -= begin;
        begin = 0;
        try {
            int count = body.read(buffer, end, buffer.length - end);
            if (count < 0) {
                throw invalidForm("the body has ended");
            }
            end += count;
        } catch (SocketTimeoutException error) {
            throw new Refusal(408, "the form got no further for too long");
        } catch (IOException error) {
            throw invalidForm(error.getMessage());
        }
    }

    /** Makes the refusal of a form that ends early or is malformed. */
    static Refusal invalidForm(String why) {
        return new Refusal(400, "the form was cut: " + why);
    }
}
