// The connections on which the page sends, all uploads together. A browser has six for a host: some stay free for
// the lists and for questions to the server.

const MOST = 4;

class Lanes {
  #free = MOST;
  #waiting = [];

  /** Takes a connection as soon as one is free. */
  async take(signal) {
    signal.throwIfAborted();
    if (this.tryTake()) return;
    await new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== go);
        reject(signal.reason);
      };
      const go = () => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      signal.addEventListener("abort", abort);
      this.#waiting.push(go);
    });
  }

  /** Takes a connection if one is free. */
  tryTake() {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** Gives a connection back; the one that waits longest gets it. */
  give() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}

export const lanes = new Lanes();
