// A list of the page whose rows follow the server's items: only what differs is touched.

import { removeRow } from "./row.js";

export class List {
  #rows = new Map();
  #place;
  #make;

  /** `make` makes the row of an item, and what draws it again (`{ row, render }`). */
  constructor(section, make) {
    this.#place = section.querySelector(".rows");
    this.#make = make;
  }

  show(items) {
    const ids = new Set(items.map((item) => item.id));
    for (const [id, { row }] of this.#rows) {
      if (ids.has(id)) continue;
      removeRow(row);
      this.#rows.delete(id);
    }
    items.forEach((item, index) => {
      if (!this.#rows.has(item.id)) this.#rows.set(item.id, this.#make(item));
      const { row, render } = this.#rows.get(item.id);
      render(item);
      const there = this.#place.children[index];
      if (there !== row) this.#place.insertBefore(row, there ?? null);
    });
  }

  /** Draws all rows again. */
  redraw(items) {
    for (const item of items) this.#rows.get(item.id)?.render(item);
  }
}
