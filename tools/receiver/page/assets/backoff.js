// When to try again: exponential, with full jitter, bounded.

const LIMIT = 10;
const BASE = 500;
const CAP = 30_000;
const LONGEST_RETRY_AFTER = 3_600_000;

export class Backoff {
  #failures = 0;
  #waits = 0;

  /** The server holds more than ever before: the attempts are counted anew. */
  progressed() {
    this.#failures = 0;
    this.#waits = 0;
  }

  /** Milliseconds to wait; null when the attempts are used up. */
  next({ after = 0, counts = true }) {
    if (counts && ++this.#failures > LIMIT) return null;
    const bound = Math.min(CAP, BASE * 2 ** Math.min(this.#waits++, 20));
    return Math.max(Math.random() * bound, Math.min(after, LONGEST_RETRY_AFTER));
  }
}
