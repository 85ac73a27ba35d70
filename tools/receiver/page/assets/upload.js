// The upload of one file: ask what the server has, compare it, send the rest, and again after a connection loss.

import { Backoff } from "./backoff.js";
import { Digest, Unreadable } from "./digest.js";
import { Rate } from "./rate.js";
import { Segments } from "./segments.js";
import * as server from "./server.js";
import { LoggedOut, Passing, Refused, Strange } from "./server.js";

/** How often the server may have other bytes than this file's before the upload fails. */
const MAX_MISMATCHES = 2;

export class Upload {
  /** waiting, asking, checking, sending, retrying, paused, failed, logged_out, cancelling, complete */
  state = "waiting";
  /** Why it is retrying or has failed. */
  error = null;
  /** When the next attempt is due. */
  due = 0;
  /** The upload's id on the server, as soon as that is known. */
  id = null;
  /** Bytes that are on the server or being sent. */
  done = 0;
  /** Bytes that have been compared. */
  compared = 0;
  rate = new Rate();

  #digest;
  #segments = new Segments();
  #backoff = new Backoff();
  #stop = new AbortController();
  #wake = () => {};
  /** The highest offset of the server so far. */
  #maxOffset = 0;
  #mismatches = 0;
  /** Whether the server has sent a valid response. */
  #responded = false;
  #changed;

  /** `changed` is called whenever the upload has to be drawn again. */
  constructor(file, dir, changed) {
    this.file = file;
    this.dir = dir;
    this.#changed = changed;
    this.#digest = new Digest(file);
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
    this.#mismatches = 0;
    while (!signal.aborted) {
      try {
        this.#become("asking");
        await this.#finish(signal);
        this.#digest.stop();
        this.#become("complete");
        return;
      } catch (caught) {
        if (signal.aborted) return;
        // Once the server has answered, something else answers for a while.
        const foreign = caught instanceof Strange && this.#responded;
        const error = foreign ? new Passing("strange") : caught;
        const wait = error instanceof Passing ? this.#backoff.next(error) : null;
        if (wait === null) {
          this.#digest.stop();
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

  /** Stops it for good, and deletes it on the server. */
  async cancel() {
    this.#halt("cancelling");
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
    this.#digest.stop();
    this.#become(state);
  }

  #become(state, error = null) {
    this.state = state;
    this.error = error;
    if (state !== "sending") this.rate.stop();
    this.#changed(this);
  }

  async #finish(signal) {
    const { dir, file } = this;
    const fields = { name: file.name, size: file.size, mtime: file.lastModified, dir };
    // If one send is enough, the digest costs nothing, and the server may have the content already.
    if (this.#segments.next(file.size) === file.size) fields.md5 = await this.#digest.at(file.size);
    let held = await server.locate(fields, signal);
    for (;;) {
      this.#adopt(held);
      const same = await this.#compare(held);
      signal.throwIfAborted();
      if (same && held.state === "complete") return;
      if (!same && this.#mismatches >= MAX_MISMATCHES) throw new Refused({ status: 422, json: { error: "digest" } });
      held = await this.#send(held, same, signal);
      signal.throwIfAborted();
    }
  }

  /** Checks the server's state and adopts it. */
  #adopt(held) {
    const { id, offset, state, max_segment } = held;
    const known = ["new", "partial", "complete"].includes(state);
    const possible = Number.isSafeInteger(offset) && offset >= 0 && offset <= this.size;
    if (!known || !possible || typeof id !== "string") {
      throw this.#responded ? new Passing("strange") : new Strange();
    }
    this.#responded = true;
    this.id = id;
    this.done = offset;
    if (max_segment > 0) this.#segments.announce(max_segment);
    if (offset > this.#maxOffset) {
      this.#maxOffset = offset;
      this.#backoff.reset();
    }
    this.#changed(this);
  }

  /** Whether what the server has is the beginning of this file. */
  async #compare({ offset, prefix_md5 }) {
    if (prefix_md5 === undefined) return true;
    if (!this.#digest.has(offset)) {
      this.compared = 0;
      this.#become("checking");
    }
    const own = await this.#digest.at(offset, (bytes) => {
      this.compared = bytes;
      this.#changed(this);
    });
    return own === prefix_md5;
  }

  /** Sends the next bytes, or the first ones in place of `held`. Returns the server's state after that. */
  async #send(held, same, signal) {
    const { dir, file, size } = this;
    const offset = same ? held.offset : 0;
    const length = this.#segments.next(size - offset);
    const end = offset + length;
    const md5 = await this.#digest.at(end);
    signal.throwIfAborted();
    // In advance, while this is sent. An error will occur again when it is needed.
    const next = end + this.#segments.next(size - end);
    this.#digest.at(next).catch(() => {});

    const fields = { id: held.id, name: file.name, size, mtime: file.lastModified, dir, offset, length };
    if (!same) fields.restart = held.prefix_md5;
    const tail = end === size ? { md5 } : { prefix_md5: md5 };
    const started = performance.now();
    this.done = offset;
    this.#become("sending");
    const moved = (bytes) => {
      // The form around the file's bytes is too small to matter.
      const done = offset + Math.min(bytes, length);
      this.rate.add(done - this.done);
      this.done = done;
      this.#changed(this);
    };
    try {
      const bytes = file.slice(offset, end);
      const now = await server.send(fields, file.name, bytes, tail, signal, moved);
      this.#segments.adapt(performance.now() - started);
      if (!same) this.#mismatches += 1;
      return now;
    } catch (error) {
      const tooLong = error instanceof Strange || ["broken", "failed"].includes(error.reason) || error.status === 400;
      if (tooLong) this.#segments.shrink();
      if (error.reason === "broken") {
        await this.#checkReadable(offset);
      }
      if (error instanceof Refused) return this.#recover(error, held, length);
      throw error;
    }
  }

  /** Returns the state to send from after a refusal, or throws the error. */
  #recover(error, held, length) {
    const { status, json } = error;
    const hasStatus = typeof json?.offset === "number";
    switch (status) {
      case 400:
        // The locate was right, so the rest was damaged or cut on the way.
        throw new Passing("damaged", { status });
      case 404:
      case 410:
        throw new Passing("forgotten");
      case 409:
        if (hasStatus) return json;
        break;
      case 413:
        if (json?.max_segment > 0 && json.max_segment < length) {
          this.#segments.announce(json.max_segment);
          return held;
        }
        if (this.#segments.tooLarge(length)) return held;
        break;
      case 422:
        if (hasStatus && ++this.#mismatches < MAX_MISMATCHES) return json;
        break;
    }
    throw error;
  }

  /** Checks that the file can be read: a browser also closes the connection when the file has changed. */
  async #checkReadable(offset) {
    try {
      await this.file.slice(offset, offset + 1).arrayBuffer();
    } catch (error) {
      throw new Unreadable(String(error));
    }
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
