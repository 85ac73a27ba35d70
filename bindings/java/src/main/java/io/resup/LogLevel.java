package io.resup;

/** How important a line of the log is; the most important first. */
public enum LogLevel {
    /** An upload has failed. */
    ERROR,
    /** Something unusual that the upload gets over: a break, a prefix that differs. */
    WARN,
    /** The course of an upload. */
    INFO,
    /** Every step. */
    DEBUG
}
