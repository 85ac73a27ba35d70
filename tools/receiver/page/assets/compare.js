// Compares what the server has with a file.

import { Ranges } from "./ranges.js";

export class Comparison {
  /** How far it has come, and how far it goes. */
  done = 0;
  total = 0;
  #digests;
  #begun;
  #moved;

  /** `begun` is called when bytes have to be read, `moved` whenever some of them have been. */
  constructor(digests, begun, moved) {
    this.#digests = digests;
    this.#begun = begun;
    this.#moved = moved;
  }

  /** Whether the file's first bytes have this digest. */
  async first(name, offset, value) {
    const digest = this.#digests.first(name);
    if (!digest.has(offset)) this.#begin(offset);
    return (await digest.at(offset, (at) => this.#move(at))) === value;
  }

  /** Returns the ranges that are the file's; null if one is not. Those in `known` are not compared again. */
  async ranges(name, ranges, known) {
    const same = new Ranges();
    for (const { from, to, value } of ranges) {
      if (!known.contains(from, to)) {
        this.#begin(ranges[ranges.length - 1].to);
        const own = await this.#digests.piece(name).of(from, to, (at) => this.#move(at));
        if (own !== value) return null;
      }
      same.insert(from, to);
    }
    return same;
  }

  #begin(total) {
    this.done = 0;
    this.total = total;
    this.#begun();
  }

  #move(at) {
    this.done = at;
    this.#moved();
  }
}
