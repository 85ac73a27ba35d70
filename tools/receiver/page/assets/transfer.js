// What is said to the server about one file: ask what it has, compare it, send the rest.

import { learned, read, shows } from "./agreement.js";
import { Comparison } from "./compare.js";
import { available, Digests, Unreadable } from "./digest.js";
import { lanes } from "./lanes.js";
import { Parts } from "./parts.js";
import { Rate } from "./rate.js";
import { Ranges } from "./ranges.js";
import { Segments } from "./segments.js";
import * as server from "./server.js";
import { Passing, Refused, Strange } from "./server.js";

/** How often the server may have other bytes than this file's before the upload fails. */
const MAX_MISMATCHES = 2;
/** The refusals of a store after which the file is sent in the usual way, and no other is stored. */
const NO_STORE = [400, 404, 405, 413, 422, 501];

export class Transfer {
  /** The upload's id on the server, as soon as that is known. */
  id = null;
  /** Bytes that are on the server or being sent. */
  done = 0;
  rate = new Rate();
  /** Whether the server has sent a valid response. */
  responded = false;

  #file;
  #dir;
  #page;
  #digests;
  /** The digests that the browser has. */
  #names = [];
  /** The agreed digest; null at a server of version 1.0, which has MD5. */
  #agreed = null;
  #segments = new Segments();
  #parts;
  /** The value of `part` in this upload's parts. */
  #run = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  /** How many bytes the server had by its last answer, and at most. */
  #confirmed = 0;
  #most = 0;
  #mismatches = 0;
  /** Whether the server was at another offset than the last send. */
  #misplaced = false;
  /** Whether no request was made yet. */
  #isFresh = true;

  /**
   * `page` is told what happens: a new state (`become`), progress (`changed`), and that the server has more than ever
   * before (`grew`).
   */
  constructor(file, dir, page) {
    this.#file = file;
    this.#dir = dir;
    this.#page = page;
    this.#digests = new Digests(file);
    this.#parts = new Parts(file.size, this.#segments);
    this.comparison = new Comparison(this.#digests, () => page.become("checking"), page.changed);
  }

  /** Stops the computation of digests. */
  stop() {
    this.#digests.stop();
  }

  /** Forgives what went wrong before. */
  begin() {
    this.#mismatches = 0;
    this.#misplaced = false;
  }

  /** Brings the whole file to the server. */
  async finish(signal) {
    this.#names = await available();
    let held = (await this.#store(signal)) ?? (await this.#locate(signal));
    for (;;) {
      const { ranges } = this.#adopt(held);
      const same = await this.#compare(held);
      signal.throwIfAborted();
      if (!same && this.#mismatches >= MAX_MISMATCHES) throw new Refused({ status: 422, json: { error: "digest" } });
      const allSame = same && (await this.#compareRanges(held.offset, ranges));
      signal.throwIfAborted();
      if (same && held.state === "complete") return;
      held = allSame && this.#parts.isWorth ? await this.#sendParts(held, signal) : await this.#send(held, same, signal);
      signal.throwIfAborted();
    }
  }

  /** The agreed digest. */
  get #name() {
    return this.#agreed ?? "md5";
  }

  /** The digest of the file's first bytes. */
  get #digest() {
    return this.#digests.first(this.#name);
  }

  /** The fields that tell which file it is. */
  get #identity() {
    const { name, size, lastModified } = this.#file;
    return { name, size, mtime: lastModified, dir: this.#dir };
  }

  /** Sends a small file in one request. Returns the server's state; null if the server is to be asked first. */
  async #store(signal) {
    const { digest, small, refused } = learned;
    const mayStore = this.#isFresh && !refused && this.#names.includes(digest) && this.#file.size <= small;
    this.#isFresh = false;
    if (!mayStore) return null;
    const value = await this.#digests.first(digest).at(this.#file.size);
    const fields = { action: "store", ...this.#identity, digest, [digest]: value };
    try {
      return await this.#request({ from: 0, to: this.#file.size }, fields, {}, signal);
    } catch (error) {
      if (!(error instanceof Refused && NO_STORE.includes(error.status))) throw error;
      learned.refused = true;
      return null;
    }
  }

  /** Asks the server what it has. */
  async #locate(signal) {
    const fields = this.#identity;
    // If one send is enough, the digest costs nothing, and the server may have the content already.
    if (this.#segments.next(this.#file.size) === this.#file.size) {
      const names = this.#names.includes(learned.digest) ? [learned.digest] : this.#names;
      for (const name of names) fields[name] = await this.#digests.first(name).at(this.#file.size);
    }
    return server.locate({ ...fields, digests: this.#names.join(",") }, signal);
  }

  /** Checks the server's state and adopts it. Returns what version 1.1 adds to it. */
  #adopt(held) {
    const { offset, state, max_segment } = held;
    const known = ["new", "partial", "complete"].includes(state);
    const possible = Number.isSafeInteger(offset) && offset >= 0 && offset <= this.#file.size;
    const newer = read(held, this.#names, this.#file.size);
    if (!known || !possible || !newer || typeof held.id !== "string") {
      throw this.responded ? new Passing("strange") : new Strange();
    }
    this.responded = true;
    this.id = held.id;
    this.#agreed = newer.digest;
    learned.digest = this.#name;
    learned.small = newer.small;
    this.#parts.offer(newer.parts);
    if (max_segment > 0) this.#segments.announce(max_segment);
    return newer;
  }

  /** Adopts which bytes of this file the server holds. */
  #hold(held) {
    this.#parts.held = held;
    const { total } = held;
    // It goes back only where the server has lost what it had.
    if (total < this.#confirmed) this.done = total;
    this.#confirmed = total;
    if (total > this.#most) {
      this.#most = total;
      this.#misplaced = false;
      this.#page.grew();
    }
    this.#advance();
  }

  /** Shows how far it is. What was on its way to the server may get lost: the number waits then, and does not go back. */
  #advance() {
    this.done = Math.max(this.done, this.#parts.done);
    this.#page.changed();
  }

  /** Whether what the server has from the start is the beginning of this file. */
  async #compare({ offset, [`prefix_${this.#name}`]: digest }) {
    return digest === undefined || this.comparison.first(this.#name, offset, digest);
  }

  /** Whether the server's ranges are of this file. Without ranges they are. */
  async #compareRanges(offset, ranges) {
    const same = await this.comparison.ranges(this.#name, ranges, this.#parts.held);
    const held = same ?? new Ranges();
    held.insert(0, offset);
    this.#hold(held);
    return same !== null;
  }

  /** Sends parts, as many at a time as bring something. Returns the server's state after that. */
  async #sendParts(held, signal) {
    this.#page.become("sending");
    const failure = await this.#parts.run((part) => this.#sendPart(part, held, signal), signal);
    signal.throwIfAborted();
    if (failure) {
      await this.#learn(failure.error, held, failure.part);
      return this.#locate(signal);
    }
    const { id, digest, small, parts, max_segment } = held;
    return { id, state: "partial", offset: this.#parts.held.prefix, digest, small, parts, max_segment };
  }

  async #sendPart(part, held, signal) {
    const { from, to } = part;
    const name = this.#name;
    const digest = await this.#digests.piece(name).of(from, to);
    signal.throwIfAborted();
    const fields = { ...this.#sendFields(held, part), part: this.#run };
    const now = await this.#exchange(part, fields, { [`part_${name}`]: digest }, signal);
    const newer = read(now, this.#names, this.#file.size);
    if (now.id !== held.id || !newer) throw new Passing("strange");
    // What another program has brought is to be compared first.
    if (this.#parts.isForeign(now.offset)) throw new Refused({ status: 409, json: now });
    if (!shows(now.offset, newer.ranges, part)) throw new Passing("strange");
    this.#parts.taken(part);
    this.#hold(this.#parts.held);
    // So that little is left to be digested at the end. An error will occur again then.
    this.#digest.at(this.#parts.held.prefix).catch(() => {});
  }

  #sendFields({ id }, { from, to }) {
    const fields = { action: "send", id, ...this.#identity, offset: from, length: to - from };
    return this.#agreed ? { ...fields, digest: this.#agreed } : fields;
  }

  /** Sends the next bytes, or the first ones in place of `held`. Returns the server's state after that. */
  async #send(held, same, signal) {
    const { size } = this.#file;
    const name = this.#name;
    const from = same ? held.offset : 0;
    const to = from + this.#segments.next(size - from);
    const part = { from, to };
    const digest = await this.#digest.at(to);
    signal.throwIfAborted();
    // In advance, while this is sent. An error will occur again when it is needed.
    this.#digest.at(to + this.#segments.next(size - to)).catch(() => {});

    const fields = this.#sendFields(held, part);
    if (!same) {
      fields.restart = held[`prefix_${name}`];
      this.#hold(new Ranges());
    }
    const tail = { [to === size ? name : `prefix_${name}`]: digest };
    try {
      const now = await this.#request(part, fields, tail, signal);
      this.#parts.taken(part);
      if (!same) this.#mismatches += 1;
      return now;
    } catch (error) {
      return this.#learn(error, held, part);
    }
  }

  /** Makes a request when a connection is free. */
  async #request(part, fields, tail, signal) {
    await lanes.take(signal);
    this.#page.become("sending");
    return this.#parts.bring(part, () => this.#exchange(part, fields, tail, signal));
  }

  /** Makes a request that brings a part of the file. */
  #exchange(part, fields, tail, signal) {
    const file = this.#file;
    part.since = performance.now();
    return server.send(fields, file.name, file.slice(part.from, part.to), tail, signal, (bytes) => {
      this.rate.add(this.#parts.moved(part, bytes));
      this.#advance();
    });
  }

  /** Learns from the failure of a send. Returns the state to send from, or throws the error. */
  async #learn(error, held, { from, to }) {
    const tooLong = error instanceof Strange || ["broken", "failed"].includes(error.reason) || error.status === 400;
    if (tooLong) this.#segments.shrink();
    if (error.reason === "broken") await this.#checkReadable(from);
    if (error instanceof Refused) return this.#recover(error, held, to - from);
    throw error;
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
        if (!hasStatus) break;
        // The second time something else is wrong, which may pass.
        if (this.#misplaced) throw new Passing("failed", { status });
        this.#misplaced = true;
        return { digest: this.#agreed, ...json };
      case 413:
        if (json?.max_segment > 0 && json.max_segment < length) {
          this.#segments.announce(json.max_segment);
          return held;
        }
        if (this.#segments.tooLarge(length)) return held;
        break;
      case 422:
        if (hasStatus && ++this.#mismatches < MAX_MISMATCHES) return { digest: this.#agreed, ...json };
        break;
    }
    throw error;
  }

  /** Checks that the file can be read: a browser also closes the connection when the file has changed. */
  async #checkReadable(offset) {
    try {
      await this.#file.slice(offset, offset + 1).arrayBuffer();
    } catch (error) {
      throw new Unreadable(String(error));
    }
  }
}
