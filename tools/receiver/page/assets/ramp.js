// The number of connections of one upload, by what more of them bring: it begins with one. It tries twice as many, keeps
// them if they bring enough, and else goes back and waits longer each time before it tries again. What counts is when
// the server has a part: what has left the browser may still wait in buffers.

/** More connections have to bring this share of what as many others bring. */
const WORTH = 0.2;
/** How many parts each connection may send before more of them have to bring that. */
const PATIENCE = 2;
/** One connection of so many bytes per millisecond is not held up by losses. */
const FAST = 8000;
/** What ends in so many milliseconds gets no more connections. */
const SHORT = 2000;
/** Milliseconds without a try after one that brought too little; they double each time. */
const FIRST_WAIT = 3000;
const LONGEST_WAIT = 600_000;

export class Ramp {
  /** The number of connections. */
  slots = 1;
  #most = 1;
  /** Since when there are so many, and what they have brought: the number of parts, their bytes and milliseconds. */
  #since = 0;
  #parts = 0;
  #bytes = 0;
  #time = 0;
  /** The number of connections before more were tried, and the rate of each. */
  #trial = null;
  #nextTry = 0;
  #wait = FIRST_WAIT;
  /** The bytes per millisecond of each connection. */
  #each = 0;

  /** Sets the limit of their number. */
  limit(most) {
    this.#most = Math.max(most, 1);
    if (this.slots > this.#most) this.#settle(this.#most);
  }

  /** Notes that the server has a part of `length` bytes that was begun at `since`; `left` bytes are to go. */
  note(length, since, left, now = performance.now()) {
    // Else it was sent beside more or fewer others.
    if (since < this.#since) return;
    this.#parts += 1;
    this.#bytes += length;
    this.#time += now - since;
    if (this.#parts < this.slots) return;
    this.#each = this.#bytes / Math.max(this.#time, 1);
    if (this.#trial) {
      const { before, each } = this.#trial;
      const gain = (this.#each * this.slots - each * before) / (each * (this.slots - before));
      if (gain < WORTH) {
        if (this.#parts < PATIENCE * this.slots) return;
        this.#each *= this.slots / before;
        this.#giveUp(before, now);
        return;
      }
      this.#trial = null;
      this.#wait = FIRST_WAIT;
    }
    const [before, each] = [this.slots, this.#each];
    const goesOn = before >= this.#most || now < this.#nextTry || this.isEnough(left);
    this.#settle(goesOn ? before : Math.min(before * 2, this.#most), goesOn ? this.#since : now);
    if (!goesOn) this.#trial = { before, each };
  }

  /** Notes that one of several connections was lost or refused: makes them fewer. */
  lost(now = performance.now()) {
    this.#giveUp(this.#trial?.before ?? Math.max(this.slots - 1, 1), now);
  }

  /** Whether no more connections are needed for the `left` bytes. */
  isEnough(left) {
    return this.#most < 2 || this.#each >= FAST || left <= this.#each * this.slots * SHORT;
  }

  #giveUp(slots, now) {
    this.#settle(slots, now);
    this.#nextTry = now + this.#wait;
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  /** Goes on with so many connections, and measures them anew. */
  #settle(slots, since = performance.now()) {
    this.slots = slots;
    this.#since = since;
    this.#parts = this.#bytes = this.#time = 0;
    this.#trial = null;
  }
}
