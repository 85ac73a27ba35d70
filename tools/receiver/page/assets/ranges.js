// A set of a file's bytes: ranges in order that neither overlap nor touch.

export class Ranges {
  #ranges = [];

  /** Adds the bytes from one offset up to another. */
  insert(from, to) {
    if (from >= to) return;
    const apart = (range) => range.to < from || to < range.from;
    for (const range of this.#ranges.filter((range) => !apart(range))) {
      from = Math.min(from, range.from);
      to = Math.max(to, range.to);
    }
    this.#ranges = [...this.#ranges.filter(apart), { from, to }].sort((a, b) => a.from - b.from);
  }

  /** Whether all bytes from one offset up to another are in the set. */
  contains(from, to) {
    return this.#ranges.some((range) => range.from <= from && to <= range.to);
  }

  /** The number of bytes. */
  get total() {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /** The number of bytes from the start without a gap. */
  get prefix() {
    const [first] = this.#ranges;
    return first?.from === 0 ? first.to : 0;
  }

  /** Whether there are bytes behind a gap. */
  get hasGap() {
    return this.total > this.prefix;
  }

  /** Returns the first gap in a file of `size` bytes, if there is one. */
  firstGap(size) {
    const from = this.prefix;
    const next = this.#ranges.find((range) => range.from > from);
    const to = Math.min(next?.from ?? size, size);
    return from < to ? { from, to } : null;
  }

  copy() {
    const copy = new Ranges();
    copy.#ranges = [...this.#ranges];
    return copy;
  }
}
