package io.resup;

/** The HTTP method with which the server is asked for its offset. */
public enum LocateMethod {
    /** POST with a form, which no cache answers. */
    POST(0),
    /** GET with the fields in the query, at most 60 000 bytes with the URL. */
    GET(1);

    /** The code in the C API. */
    final int code;

    LocateMethod(int code) {
        this.code = code;
    }
}
