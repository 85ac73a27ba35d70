package io.resup.receiver;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;

/** What is answered: one JSON object for good news and bad. */
final class Answer {
    private static final Logger LOG = Logger.getLogger(Answer.class.getName());
    private static final Pattern FULL =
            Pattern.compile("no space left|disk is full|quota exceeded", Pattern.CASE_INSENSITIVE);

    private final int status;
    private final Map<String, Object> members = new LinkedHashMap<>();
    private boolean leavesBody;

    Answer(int status) {
        this.status = status;
    }

    /** How the upload stands. */
    static Answer of(Upload upload) {
        return new Answer(200).standing(upload);
    }

    /** A failure of our own: the details are for the log only. */
    static Answer failure(Exception error) {
        if (error.getMessage() != null && FULL.matcher(error.getMessage()).find()) {
            LOG.severe(error.getMessage());
            return new Answer(507).message("the receiver has no room left").leavingBody();
        }
        LOG.log(Level.SEVERE, "a request failed", error);
        return new Answer(500).message("the receiver failed; its log says why").leavingBody();
    }

    /** Adds how the upload stands. */
    Answer standing(Upload upload) {
        members.put("state", upload.state().word());
        members.put("offset", upload.held());
        members.put("id", upload.id());
        if (upload.state() == Upload.State.COMPLETE) {
            members.put("location", Store.location(upload.id()));
        }
        return this;
    }

    /** Adds the digest of what is held. */
    Answer prefix(Upload upload) {
        members.put("prefix_md5", upload.heldMd5());
        return this;
    }

    /** Adds the most that one send may carry, if there is a limit. */
    Answer maxSegment(long most) {
        if (most > 0) {
            members.put("max_segment", most);
        }
        return this;
    }

    /** Adds the word by which a program knows the error. */
    Answer error(String word) {
        members.put("error", word);
        return this;
    }

    /** Adds the text for a person. */
    Answer message(String text) {
        members.put("message", text);
        return this;
    }

    /** Says that the rest of the request's body is not wanted. */
    Answer leavingBody() {
        leavesBody = true;
        return this;
    }

    boolean leavesBody() {
        return leavesBody;
    }

    /** Sends it, now. */
    void write(HttpServletResponse response) throws IOException {
        byte[] json = toString().getBytes(StandardCharsets.UTF_8);
        response.setStatus(status);
        response.setContentType("application/json");
        response.setContentLength(json.length);
        response.setHeader("Cache-Control", "no-store");
        response.setHeader("X-Content-Type-Options", "nosniff");
        if (leavesBody) {
            response.setHeader("Connection", "close");
        }
        if (status == 401) {
            response.setHeader("WWW-Authenticate", "Basic realm=\"resup\", charset=\"UTF-8\"");
        }
        if (status == 503) {
            response.setHeader("Retry-After", "2");
        }
        response.getOutputStream().write(json);
        response.flushBuffer();
    }

    /** The JSON. */
    @Override
    public String toString() {
        StringBuilder json = new StringBuilder("{");
        members.forEach((name, value) -> {
            json.append(json.length() > 1 ? ",\"" : "\"").append(name).append("\":");
            if (value instanceof Long) {
                json.append(value);
            } else {
                quote(json, value.toString());
            }
        });
        return json.append('}').toString();
    }

    private static void quote(StringBuilder json, String text) {
        json.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        json.append('"');
    }

    /** The beginning of a foreign text, fit for a message. */
    static String excerpt(String text) {
        if (text.codePointCount(0, text.length()) <= 60) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, 60)) + '…';
    }
}
