// How many bytes one send carries: large enough to be quick, small enough that a server or proxy
// that only keeps whole requests does not lose much.

const FLOOR = 64 * 1024;
const START = 8 << 20;
const MOST = 256 << 20;
/** A segment grows as long as one takes less than this. */
const LONG = 10_000;

/** What a 413 has taught, for all uploads of this page. */
let learnt = Infinity;

export class Segments {
  #size = START;
  #announced = Infinity;
  #halved = Infinity;

  /** The server's own limit. */
  announce(most) {
    this.#announced = most;
  }

  /** How many of the `left` bytes go next. */
  next(left) {
    return Math.min(left, this.#size, this.#announced, this.#halved, learnt);
  }

  /** The server has taken a segment, which took so long. */
  taken(time) {
    // Only now is it known that the size was the reason.
    learnt = Math.min(learnt, this.#halved);
    if (time < LONG) this.#size = Math.min(this.#size * 2, MOST);
  }

  /** The connection broke. */
  broken() {
    this.#size = Math.max(this.#size / 2, FLOOR);
  }

  /** The server finds `length` bytes too many; whether there is a smaller size to try. */
  tooLarge(length) {
    if (length <= FLOOR) return false;
    this.#halved = Math.max(Math.floor(length / 2), FLOOR);
    return true;
  }
}
