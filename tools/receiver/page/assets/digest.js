// Digests of a file's bytes, by one algorithm. Of its first bytes inner states are kept, so that no byte is digested
// twice while the offset grows, and few when it goes back.

import { Passing } from "./server.js";

export class Unreadable extends Error {}

/** The digests of no bytes. */
const EMPTY = {
  blake3: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
  md5: "d41d8cd98f00b204e9800998ecf8427e",
};

/** Workers that have nothing to do. */
const idle = [];
let names = null;

/** Returns the algorithms that this browser has, the one that the page likes most first. */
export function available() {
  names ??= compute({})[0].then((last) => last.names, (error) => {
    names = null;
    throw error;
  });
  return names;
}

/**
 * Has a worker compute something; `posted` is called with what it posts. Returns its last post, and what stops it.
 */
function compute(message, posted = () => {}) {
  const worker = idle.pop() ?? new Worker(new URL("digest-worker.js", import.meta.url));
  let stop;
  const last = new Promise((resolve, reject) => {
    const fail = (error) => {
      worker.terminate();
      reject(error);
    };
    stop = () => fail(new DOMException("stopped", "AbortError"));
    // The browser fetches the worker's scripts from the server, each time.
    worker.onerror = (event) => {
      event.preventDefault();
      fail(new Passing("unreachable", { counts: false }));
    };
    worker.onmessage = ({ data }) => {
      if (data.error) return fail(new Unreadable(data.error));
      posted(data);
      if (!data.last) return;
      idle.push(worker);
      stop = () => {};
      resolve(data);
    };
    worker.postMessage(message);
  });
  return [last, () => stop()];
}

/** The digests of a file, by algorithm. */
export class Digests {
  #file;
  #digests = new Map();

  constructor(file) {
    this.#file = file;
  }

  /** Returns the digest of the file's first bytes. */
  first(name) {
    return this.#get(name, name);
  }

  /** Returns one for bytes from anywhere, which does not wait for the other. */
  piece(name) {
    return this.#get(`piece ${name}`, name);
  }

  /** Stops the computations. */
  stop() {
    for (const digest of this.#digests.values()) digest.stop();
  }

  #get(key, name) {
    if (!this.#digests.has(key)) this.#digests.set(key, new Digest(this.#file, name));
    return this.#digests.get(key);
  }
}

class Digest {
  #file;
  #name;
  /** Stops the worker that computes now. */
  #stop = () => {};
  /** By number of bytes: the state after them, and their digest if it was asked for. */
  #points = new Map();
  #last = Promise.resolve();
  #stops = 0;

  constructor(file, name) {
    this.#file = file;
    this.#name = name;
    this.#points.set(0, { state: null, digest: EMPTY[name] });
  }

  /** Computes the digest of the first `to` bytes. `moved` is called with the number of bytes so far. */
  at(to, moved = () => {}) {
    return this.#queue(() => this.#compute(to, moved));
  }

  /** Computes the digest of the bytes from `from` to `to`. `moved` is called with the offset that is reached. */
  of(from, to, moved = () => {}) {
    return this.#queue(() => this.#run(null, from, to, ({ at }) => moved(at)));
  }

  /** Whether the digest of the first `to` bytes is known already. */
  has(to) {
    return this.#points.get(to)?.digest !== undefined;
  }

  /** Stops the computation. Known digests are kept. */
  stop() {
    this.#stops += 1;
    this.#stop();
  }

  /** Does the work after all that was asked for before. */
  #queue(work) {
    const stops = this.#stops;
    const job = this.#last.then(() => {
      if (stops !== this.#stops) throw new DOMException("stopped", "AbortError");
      return work();
    });
    this.#last = job.catch(() => {});
    return job;
  }

  #compute(to, moved) {
    const known = this.#points.get(to);
    if (known?.digest) return known.digest;
    const from = Math.max(...[...this.#points.keys()].filter((at) => at <= to));
    const { state } = this.#points.get(from);
    moved(from);
    return this.#run(state, from, to, ({ at, state, digest }) => {
      this.#points.set(at, { state, digest });
      moved(at);
    });
  }

  async #run(state, from, to, posted) {
    const [last, stop] = compute({ name: this.#name, file: this.#file, state, from, to }, posted);
    this.#stop = stop;
    return (await last).digest;
  }
}
