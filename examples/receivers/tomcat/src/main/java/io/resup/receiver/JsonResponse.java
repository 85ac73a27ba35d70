package io.resup.receiver;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;

/** A response: one JSON object, for success and for errors. */
final class JsonResponse {
    private static final Logger LOG = Logger.getLogger(JsonResponse.class.getName());
    private static final Pattern FULL =
            Pattern.compile("no space left|disk is full|quota exceeded", Pattern.CASE_INSENSITIVE);

    private final int status;
    private final Map<String, Object> members = new LinkedHashMap<>();
    private boolean close;

    JsonResponse(int status) {
        this.status = status;
    }

    /** Makes the response of success with the status of the upload. */
    static JsonResponse of(Upload upload, Agreement agreement) {
        return new JsonResponse(200).uploadStatus(upload, agreement);
    }

    /** Makes the response of success about an upload of which nothing is here. */
    static JsonResponse ofNothing() {
        JsonResponse response = new JsonResponse(200);
        response.members.put("state", Upload.State.NEW.word());
        response.members.put("offset", 0L);
        return response;
    }

    /** Makes the response to a failure of the receiver. The details go to the log only. */
    static JsonResponse failure(Exception error) {
        if (error.getMessage() != null && FULL.matcher(error.getMessage()).find()) {
            LOG.severe(error.getMessage());
            return new JsonResponse(507).message("the receiver has no room left").closeConnection();
        }
        LOG.log(Level.SEVERE, "a request failed", error);
        return new JsonResponse(500).message("the receiver failed; its log says why").closeConnection();
    }

    /** Adds the status of the upload, and for a client of version 1.1 the agreed digest. */
    JsonResponse uploadStatus(Upload upload, Agreement agreement) {
        members.put("state", upload.state().word());
        members.put("offset", upload.offset());
        members.put("id", upload.id());
        if (upload.state() == Upload.State.COMPLETE) {
            members.put("location", Store.location(upload.id()));
        }
        if (agreement.isNamed()) {
            members.put("digest", agreement.digest().word());
        }
        return this;
    }

    /** Adds the agreed digest of the bytes that are stored. */
    JsonResponse prefix(Upload upload, Agreement agreement) {
        members.put("prefix_" + agreement.digest().word(), upload.held().get(agreement.digest()));
        return this;
    }

    /** Adds the most file bytes of one send, if there is a limit. */
    JsonResponse maxSegment(long limit) {
        if (limit > 0) {
            members.put("max_segment", limit);
        }
        return this;
    }

    /** Adds the limits of requests. Clients of version 1.1 alone know stores. */
    JsonResponse limits(Limits limits, Agreement agreement) {
        if (agreement.isNamed()) {
            members.put("small", limits.small());
        }
        return maxSegment(limits.maxSegment());
    }

    /** Adds that a discard is taken. */
    JsonResponse discard() {
        members.put("discard", true);
        return this;
    }

    /** Adds the code of the error, for programs. */
    JsonResponse error(String code) {
        members.put("error", code);
        return this;
    }

    /** Adds the text of the error, for people. */
    JsonResponse message(String text) {
        members.put("message", text);
        return this;
    }

    /** Closes the connection after the response: the rest of the request's body is not needed. */
    JsonResponse closeConnection() {
        close = true;
        return this;
    }

    boolean closesConnection() {
        return close;
    }

    /** Sends the response at once. */
    void write(HttpServletResponse response) throws IOException {
        byte[] json = toString().getBytes(StandardCharsets.UTF_8);
        response.setStatus(status);
        response.setContentType("application/json");
        response.setContentLength(json.length);
        response.setHeader("Cache-Control", "no-store");
        response.setHeader("X-Content-Type-Options", "nosniff");
        if (close) {
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

    /** Returns the JSON. */
    @Override
    public String toString() {
        StringBuilder json = new StringBuilder("{");
        members.forEach((name, value) -> {
            json.append(json.length() > 1 ? ",\"" : "\"").append(name).append("\":");
            if (value instanceof Long || value instanceof Boolean) {
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

    /** Shortens a text of the client for a message. */
    static String excerpt(String text) {
        if (text.codePointCount(0, text.length()) <= 60) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, 60)) + '…';
    }
}
