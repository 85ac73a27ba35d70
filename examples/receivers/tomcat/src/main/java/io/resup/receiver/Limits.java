package io.resup.receiver;

/**
 * The numbers of bytes that the receiver takes.
 *
 * @param maxSegment the most file bytes of one send; 0 where there is no limit
 * @param maxSize the most bytes of a file
 * @param commitBytes the most bytes that are received before they are made durable
 */
record Limits(long maxSegment, long maxSize, long commitBytes) {
    private static final long MAX_SMALL = 256 << 10;

    /** Returns the size of the largest file that may come in one request without a locate. */
    long small() {
        long request = maxSegment == 0 ? maxSize : Math.min(maxSegment, maxSize);
        return Math.min(MAX_SMALL, request);
    }
}
