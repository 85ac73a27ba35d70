// How fast bytes go, smoothed so that a person can read it.

/** Milliseconds after which an old measurement counts for a third. */
const MEMORY = 5000;
/** Shorter distances say nothing. */
const STEP = 500;

export class Rate {
  #rate = null;
  #since = null;
  #bytes = 0;

  /** So many more bytes have gone. */
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

  /** Nothing goes for now; what comes next is measured afresh. */
  stop() {
    this.#rate = this.#since = null;
    this.#bytes = 0;
  }

  /** Bytes a second; null while that is not known. */
  get perSecond() {
    return this.#rate === null ? null : this.#rate * 1000;
  }
}
