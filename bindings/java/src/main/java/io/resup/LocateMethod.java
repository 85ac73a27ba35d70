package io.resup;

/** How the server is asked for its offset. */
public enum LocateMethod {
    /** By POST with a form, which no cache answers. */
    POST(0),
    /** By GET with the fields in the query: no more than 60 000 bytes, the address included. */
    GET(1);

    /** The code in the C API. */
    final int code;

    LocateMethod(int code) {
        this.code = code;
    }
}
