// The rate of sending, smoothed so that people can read it.

/** Milliseconds after which an old measurement counts for a third. */
const MEMORY = 5000;
/** The shortest time for a measurement. */
const STEP = 500;

export class Rate {
  #rate = null;
  #since = null;
  #bytes = 0;

  /** Counts bytes that were sent. */
  add(bytes, now = performance.now()) {
    this.#since ??= now;
    this.#bytes += bytes;
    const time = now - this.#since;
    if (time < STEP) return;
    const measured = this.#bytes / time;
    const weight = this.#rate === null ? 1 : 1 - Math.exp(-time / MEMORY);
    this.#rate = (this.#rate ?? 0) * (1 - weight) + measured * weight;
    this.#since = now;
    this.#bytes = 0;
  }

  /** Begins a new measurement at the next bytes, after a pause. */
  stop() {
    this.#rate = this.#since = null;
    this.#bytes = 0;
  }

  /** The bytes per second; null while they are not known. */
  get perSecond() {
    return this.#rate === null ? null : this.#rate * 1000;
  }
}
