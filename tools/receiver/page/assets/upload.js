// The upload of one file: ask what the server has, compare it, send the rest, and again after a connection loss.

import { Backoff } from "./backoff.js";
import { LoggedOut, Passing, Strange } from "./server.js";
import * as server from "./server.js";
import { Transfer } from "./transfer.js";

export class Upload {
  /** waiting, asking, checking, sending, retrying, paused, failed, logged_out, cancelling, complete */
  state = "waiting";
  /** Why it is retrying or has failed. */
  error = null;
  /** When the next attempt is due. */
  due = 0;
  /** Whether the server's list has had it since it was complete. */
  isListed = false;

  #transfer;
  #backoff = new Backoff();
  #stop = new AbortController();
  #wake = () => {};
  #changed;

  /** `changed` is called whenever the upload has to be drawn again. */
  constructor(file, dir, changed) {
    this.file = file;
    this.dir = dir;
    this.#changed = changed;
    this.#transfer = new Transfer(file, dir, {
      become: (state) => this.#become(state),
      changed: () => changed(this),
      grew: () => this.#backoff.reset(),
    });
  }

  /** The upload's id on the server, as soon as that is known. */
  get id() {
    return this.#transfer.id;
  }

  /** Bytes that are on the server or being sent. */
  get done() {
    return this.#transfer.done;
  }

  get rate() {
    return this.#transfer.rate;
  }

  get comparison() {
    return this.#transfer.comparison;
  }

  get size() {
    return this.file.size;
  }

  /** The properties by which it is the same file. */
  get key() {
    return JSON.stringify([this.dir, this.file.name, this.size, this.file.lastModified]);
  }

  /** Whether it is running. */
  get running() {
    return ["asking", "checking", "sending", "retrying"].includes(this.state);
  }

  /** Uploads until it is complete, stopped, or has failed. */
  async run() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#backoff = new Backoff();
    this.#transfer.begin();
    while (!signal.aborted) {
      try {
        this.#become("asking");
        await this.#transfer.finish(signal);
        this.#transfer.stop();
        this.#become("complete");
        return;
      } catch (caught) {
        if (signal.aborted) return;
        // Once the server has answered, something else answers for a while.
        const foreign = caught instanceof Strange && this.#transfer.responded;
        const error = foreign ? new Passing("strange") : caught;
        const wait = error instanceof Passing ? this.#backoff.next(error) : null;
        if (wait === null) {
          this.#transfer.stop();
          this.#become(error instanceof LoggedOut ? "logged_out" : "failed", error);
          return;
        }
        this.due = Date.now() + wait;
        this.#become("retrying", error);
        await this.#sleep(wait, signal);
      }
    }
  }

  /** Stops it, for now. */
  pause() {
    this.#halt("paused");
  }

  /** Lets it continue when its turn comes. */
  resume() {
    this.#become("waiting");
  }

  /** Makes the next attempt at once. */
  tryNow() {
    this.#wake();
  }

  /** Stops it for good. */
  halt() {
    this.#halt("cancelling");
  }

  /** Stops it for good, and deletes it on the server. */
  async cancel() {
    this.halt();
    // The server may not have noticed yet that nobody is sending any more.
    for (let attempt = 1; this.id; attempt += 1) {
      try {
        return await server.remove(this.id);
      } catch (error) {
        const locked = error instanceof Passing && error.reason === "locked";
        if (!locked || attempt === 5) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  #halt(state) {
    this.#stop.abort();
    this.#transfer.stop();
    this.#become(state);
  }

  #become(state, error = null) {
    this.state = state;
    this.error = error;
    if (state !== "sending") this.rate.stop();
    this.#changed(this);
  }

  #sleep(wait, signal) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        removeEventListener("online", wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, wait);
      addEventListener("online", wake);
      signal.addEventListener("abort", wake);
      this.#wake = wake;
    });
  }
}
