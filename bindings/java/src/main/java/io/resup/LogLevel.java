package io.resup;

/** How important a line of the log is; the most important first. */
public enum LogLevel {
    /** An upload has failed. */
    ERROR(1),
    /** Something unusual that the upload gets over: a break, a prefix that differs. */
    WARN(2),
    /** The course of an upload. */
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
