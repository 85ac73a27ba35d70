// The number of bytes in one send: large enough to be fast, small enough that a server or proxy
// that keeps only complete requests does not lose much.

const MIN = 64 * 1024;
const START = 8 << 20;
const MAX = 256 << 20;
/** A segment grows as long as one takes less than this. */
const LONG = 10_000;

/** The limit that is known from a 413, for all uploads of this page. */
let pageLimit = Infinity;

export class Segments {
  #size = START;
  #announced = Infinity;
  #halved = Infinity;

  /** Sets the server's own limit. */
  announce(most) {
    this.#announced = most;
  }

  /** Returns how many of the `left` bytes to send next. */
  next(left) {
    return Math.min(left, this.#size, this.#announced, this.#halved, pageLimit);
  }

  /** Adapts the size to a segment that was sent, and to the time that it took. */
  adapt(time) {
    // Now it is known that the size was the reason of the 413.
    pageLimit = Math.min(pageLimit, this.#halved);
    if (time < LONG) this.#size = Math.min(this.#size * 2, MAX);
  }

  /** Makes the segments smaller after a connection loss. */
  shrink() {
    this.#size = Math.max(this.#size / 2, MIN);
  }

  /** Makes the segments smaller than `length`, which was too much. Returns whether there is a smaller size to try. */
  tooLarge(length) {
    if (length <= MIN) return false;
    this.#halved = Math.max(Math.floor(length / 2), MIN);
    return true;
  }
}
