package io.resup;

/** The importance of a line of the log, the most important level first. */
public enum LogLevel {
    /** An upload has failed. */
    ERROR(1),
    /** A problem from which the upload recovers: a lost connection, a prefix that differs. */
    WARN(2),
    /** The main steps of an upload. */
    INFO(3),
    /** Every step. */
    DEBUG(4);

    /** The code in the C API. */
    final int code;

    LogLevel(int code) {
        this.code = code;
    }

    static LogLevel of(int code) {
        return Codes.find("LogLevel", values(), constant -> constant.code, code);
    }
}
