package io.resup.receiver;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/**
 * The parameters of a header's value: <code>form-data; name="file"; filename="a.txt"</code>. A header that can be read in
 * two ways is refused.
 */
final class Parameters {
    private final String header;
    private int at;

    private Parameters(String header) {
        this.header = header;
        at = after(header.indexOf(';'));
    }

    /**
     * Finds a parameter; <code>null</code> when it is missing. The header has one char for each byte.
     *
     * <p>A value in quotes ends at the next quote, as browsers write it: they know no escapes but <code>%22</code>. Older
     * programs write a quote as <code>\"</code>: that is a quote of the value unless a semicolon or the end follows it.
     * A value without quotes ends at the next semicolon.
     */
    static String find(String header, String name) throws Refusal {
        String value = new Parameters(header).find(name);
        return value == null ? null : Fields.decodeUtf8(header, value.getBytes(StandardCharsets.ISO_8859_1));
    }

    private String find(String name) throws Refusal {
        String found = null;
        Set<String> names = new HashSet<>();
        while (at < header.length()) {
            skipBlanks();
            if (at == header.length() || header.charAt(at) == ';') {
                at++;
                continue;
            }
            String key = name();
            if (!names.add(key)) {
                throw invalid("a parameter comes twice");
            }
            String value = at < header.length() && header.charAt(at) == '"' ? quoted() : unquoted();
            if (key.equals(name)) {
                found = value;
            }
        }
        return found;
    }

    /** Reads a name, the equals sign and the blanks after it. Returns the name in lower case. */
    private String name() throws Refusal {
        int begin = at;
        while (at < header.length() && "=;\"".indexOf(header.charAt(at)) < 0) {
            at++;
        }
        if (at == header.length() || header.charAt(at) != '=') {
            throw invalid("a parameter has no '='");
        }
        String name = header.substring(begin, at).strip().toLowerCase(Locale.ROOT);
        at++;
        skipBlanks();
        return name;
    }

    private String unquoted() throws Refusal {
        int semicolon = header.indexOf(';', at);
        String value = header.substring(at, semicolon < 0 ? header.length() : semicolon).strip();
        if (value.indexOf('"') >= 0) {
            throw invalid("a quote is in a value without quotes");
        }
        at = after(semicolon);
        return value;
    }

    private String quoted() throws Refusal {
        StringBuilder value = new StringBuilder();
        for (at++; at < header.length(); at++) {
            char c = header.charAt(at);
            if (c == '"') {
                int quote = at++;
                skipBlanks();
                if (at == header.length() || header.charAt(at) == ';') {
                    at++;
                    return value.toString();
                }
                at = quote;
                if (value.length() == 0 || value.charAt(value.length() - 1) != '\\') {
                    break;
                }
                value.setLength(value.length() - 1);
            }
            value.append(c);
        }
        throw invalid("a quote has no end");
    }

    private void skipBlanks() {
        while (at < header.length() && (header.charAt(at) == ' ' || header.charAt(at) == '\t')) {
            at++;
        }
    }

    /** Returns the position after a semicolon; the end where there is none. */
    private int after(int semicolon) {
        return semicolon < 0 ? header.length() : semicolon + 1;
    }

    private Refusal invalid(String why) {
        return new Refusal(400, "'" + JsonResponse.excerpt(header) + "': " + why);
    }
}
