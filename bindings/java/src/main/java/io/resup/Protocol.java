package io.resup;

/** The protocol between a client and its server. */
public enum Protocol {
    /** The one that the server speaks, by its first response. */
    AUTO(0),
    /** Form resume, the protocol of docs/PROTOCOL.md. */
    FORM(1),
    /** tus 1.0. */
    TUS(2),
    /** The IETF's resumable uploads: drafts of them, and the RFC to come. */
    IETF(3),
    /** WebDAV: the URL is that of a collection, with a slash at its end, or of the file itself. */
    DAV(4),
    /** Sessions (308), as Google Cloud Storage, uploadx and OneDrive have them. */
    SESSION(5);

    /** The code in the C API. */
    final int code;

    Protocol(int code) {
        this.code = code;
    }
}
