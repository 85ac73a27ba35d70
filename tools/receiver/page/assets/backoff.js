// The waits between attempts: exponential, with full jitter, limited.

const LIMIT = 10;
const BASE = 500;
const CAP = 30_000;
const LONGEST_RETRY_AFTER = 3_600_000;

export class Backoff {
  #failures = 0;
  #waits = 0;

  /** Counts the attempts from 0 again, since the server has more bytes than before. */
  reset() {
    this.#failures = 0;
    this.#waits = 0;
  }

  /** Returns the milliseconds to wait; null when there are no attempts left. */
  next({ after = 0, counts = true }) {
    if (counts && ++this.#failures > LIMIT) return null;
    const bound = Math.min(CAP, BASE * 2 ** Math.min(this.#waits++, 20));
    return Math.max(Math.random() * bound, Math.min(after, LONGEST_RETRY_AFTER));
  }
}
