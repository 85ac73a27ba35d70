// The MD5 of the first bytes of a file. Inner states are kept, so that no byte is digested twice while
// the offset grows, and few when it goes back.

import { Passing } from "./server.js";

export class Unreadable extends Error {}

export class Digest {
  #file;
  #worker = null;
  #halt = null;
  /** By number of bytes: the state after them, and their digest if it was asked for. */
  #points = new Map([[0, { state: null, md5: "d41d8cd98f00b204e9800998ecf8427e" }]]);
  #last = Promise.resolve();
  #stops = 0;

  constructor(file) {
    this.#file = file;
  }

  /** Computes the MD5 of the first `to` bytes. `moved` is called with the number of bytes so far. */
  at(to, moved = () => {}) {
    const stops = this.#stops;
    const job = this.#last.then(() => {
      if (stops !== this.#stops) throw halted();
      return this.#compute(to, moved);
    });
    this.#last = job.catch(() => {});
    return job;
  }

  /** Whether that digest is known already. */
  has(to) {
    return this.#points.get(to)?.md5 !== undefined;
  }

  /** Stops the computation. Known digests are kept. */
  stop() {
    this.#stops += 1;
    this.#worker?.terminate();
    this.#worker = null;
    this.#halt?.();
  }

  #compute(to, moved) {
    const known = this.#points.get(to);
    if (known?.md5) return known.md5;
    const from = Math.max(...[...this.#points.keys()].filter((at) => at <= to));
    const { state } = this.#points.get(from);
    moved(from);
    this.#worker ??= new Worker(new URL("md5-worker.js", import.meta.url));
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      this.#halt = () => reject(halted());
      // The browser fetches the worker's scripts from the server, each time.
      worker.onerror = (event) => {
        event.preventDefault();
        worker.terminate();
        this.#worker = null;
        reject(new Passing("unreachable", { counts: false }));
      };
      worker.onmessage = ({ data: { at, state, md5, error } }) => {
        if (error) return reject(new Unreadable(error));
        this.#points.set(at, { state, md5 });
        moved(at);
        if (md5) resolve(md5);
      };
      worker.postMessage({ file: this.#file, state, from, to });
    });
  }
}

function halted() {
  return new DOMException("stopped", "AbortError");
}
