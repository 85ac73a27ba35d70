// What of a file is sent next: its parts, several at a time, while more connections bring more.

import { lanes } from "./lanes.js";
import { Ramp } from "./ramp.js";
import { Ranges } from "./ranges.js";

/** Fewer bytes are not worth parts. */
const LEAST = 4 << 20;
/** The first part: so short that it is soon over on a slow link, too. */
const FIRST = 512 << 10;
/** The shortest part, but for the rest of a gap. */
const MIN = 256 << 10;
/** Milliseconds that a part should take. */
const AIM = 3000;
/** No part is so many times as long as the one before, or shorter than that share of it. */
const GROWTH = 4;

export class Parts {
  /** The bytes that the server holds and that are this file's. */
  held = new Ranges();
  #size;
  #segments;
  #ramp = new Ramp();
  /** How many the server takes at a time. */
  #offered = 0;
  #length = FIRST;
  #underWay = new Set();

  constructor(size, segments) {
    this.#size = size;
    this.#segments = segments;
  }

  /** Sets how many the server takes at a time. */
  offer(most) {
    this.#offered = most;
    this.#ramp.limit(most);
  }

  /** Whether the next bytes go in parts: where one connection is enough, they go in order. */
  get isWorth() {
    if (this.#offered < 2) return false;
    if (this.held.hasGap) return true;
    const alone = this.#ramp.slots === 1 && this.#ramp.isEnough(this.#left);
    return this.#left >= LEAST && !alone;
  }

  /** The number of bytes that are held or under way. */
  get done() {
    return [...this.#underWay].reduce((sum, part) => sum + part.moved, this.held.total);
  }

  get #left() {
    return this.#size - this.held.total;
  }

  /** Has `work` bring the bytes of a part, on a connection that is taken. The part counts as under way meanwhile. */
  async bring(part, work) {
    part.moved = 0;
    this.#underWay.add(part);
    try {
      return await work(part);
    } finally {
      this.#underWay.delete(part);
      lanes.give();
    }
  }

  /** Notes that so many bytes of a part went to the network. Returns how many of them are new. */
  moved(part, bytes) {
    const more = Math.max(Math.min(bytes, part.to - part.from) - part.moved, 0);
    part.moved += more;
    return more;
  }

  /** Notes that the server has taken a part, which was begun at `part.since`. */
  taken(part) {
    const length = part.to - part.from;
    const time = Math.max(performance.now() - part.since, 1);
    this.held.insert(part.from, part.to);
    part.moved = 0;
    this.#segments.adapt(time);
    const ideal = (length * AIM) / time;
    this.#length = Math.max(Math.min(ideal, this.#length * GROWTH), this.#length / GROWTH, MIN);
    this.#ramp.note(length, part.since, this.#size - this.done);
  }

  /** Whether an offset of the server shows that another program has brought bytes. */
  isForeign(offset) {
    return offset > this.#taken().prefix;
  }

  /**
   * Sends parts by `send`, until the server holds all or until they are not worth it any more. After a failure no part is
   * begun, and the failure is returned with its part when the others have ended.
   */
  async run(send, signal) {
    let failure = null;
    for (;;) {
      while (!failure) {
        const part = await this.#next(signal);
        if (!part) break;
        part.job = this.bring(part, send).catch((error) => {
          if (this.#ramp.slots > 1 && !failure) this.#ramp.lost();
          failure ??= { error, part };
        });
      }
      if (this.#underWay.size === 0) return failure;
      await Promise.race([...this.#underWay].map((part) => part.job));
    }
  }

  /** Plans the next part, and takes a connection for it. Returns null if there is nothing to send, or no connection. */
  async #next(signal) {
    const { size } = this.#underWay;
    const isOver = size === 0 && !this.isWorth;
    const part = isOver || size >= this.#ramp.slots ? null : this.#plan();
    if (size === 0 && part) await lanes.take(signal);
    return size === 0 || (part && lanes.tryTake()) ? part : null;
  }

  #plan() {
    const taken = this.#taken();
    const gap = taken.firstGap(this.#size);
    if (!gap) return null;
    const whole = gap.to - gap.from;
    // Towards the end the parts become shorter, so that they end together.
    const share = Math.max((this.#size - taken.total) / this.#ramp.slots, MIN);
    let length = Math.ceil(Math.min(this.#length, share, whole));
    // No crumbs are left.
    if (whole - length < MIN / 2) length = whole;
    return { from: gap.from, to: gap.from + this.#segments.next(length) };
  }

  /** Returns the bytes that are held or under way. */
  #taken() {
    const taken = this.held.copy();
    for (const { from, to } of this.#underWay) taken.insert(from, to);
    return taken;
  }
}
