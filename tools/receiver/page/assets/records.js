// What the server has: the lists of unfinished and finished uploads, kept up to date.

import { ask } from "./dialogs.js";
import { makeRow, removeRow, set } from "./row.js";
import { list, LoggedOut, Passing, remove } from "./server.js";
import { bytes, date, served, text } from "./texts.js";

const EVERY = 3000;
const MORE = 100;

export class Records {
  #unfinished;
  #finished;
  #page;
  #timer = 0;
  #busy = null;
  #stale = document.querySelector("#finished .stale");
  #again = document.getElementById("again");
  #chosenFor = null;

  /**
   * The page knows which files it is uploading itself (`uploads(item)`), takes files (`add`), tells
   * the user something (`say`), and asks for a login (`loggedOut`). It has complete uploads (`complete`)
   * until the list of the finished ones has them (`listed`).
   */
  constructor(page) {
    this.#page = page;
    this.#unfinished = new List("unfinished", (item) => this.#unfinishedRow(item), () => this.refresh());
    this.#finished = new List("finished", (item) => this.#finishedRow(item), () => this.refresh());
    this.#again.addEventListener("change", () => this.#goOn());
    document.addEventListener("visibilitychange", () => this.refresh());
    this.refresh();
  }

  /** Fetches the lists now, and every few seconds while somebody can see them. */
  async refresh() {
    clearTimeout(this.#timer);
    // A call during a fetch may know of something newer, so it fetches again.
    await this.#busy;
    this.#busy ??= this.#fetch().finally(() => (this.#busy = null));
    await this.#busy;
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = setTimeout(() => this.refresh(), EVERY);
  }

  async #fetch() {
    // What is completed meanwhile is perhaps not in the list.
    const complete = this.#page.complete();
    try {
      const [unfinished, finished] = await Promise.all([
        list("partial", this.#unfinished.wanted + 1),
        list("complete", this.#finished.wanted + 1),
      ]);
      this.#stale.hidden = true;
      this.#page.listed(complete);
      this.#unfinished.show(unfinished, (item) => !this.#page.uploads(item));
      this.#finished.show(finished, () => true);
      document.querySelector("#finished .empty").hidden = finished.length > 0;
    } catch (error) {
      if (error instanceof LoggedOut) this.#page.loggedOut();
      else this.#stale.hidden = false;
    }
  }

  #unfinishedRow(item) {
    const row = makeRow("unfinished-row", item, {
      again: () => {
        this.#chosenFor = { item, row };
        this.#again.value = "";
        this.#again.click();
      },
      delete: () => this.#delete(item, row, text("delete_unfinished", { done: bytes(item.held) })),
    });
    return {
      row,
      render: (item) => {
        // Of some uploads only the program that sends them will know the size.
        const size = item.size === null ? "?" : bytes(item.size);
        const values = { done: bytes(item.held), size, time: date(item.changed) };
        set(row.querySelector(".details"), "textContent", text(item.active ? "held_active" : "held", values));
        set(row.querySelector("progress"), "value", item.size ? item.held / item.size : 0);
        row.querySelector("[data-do=again]").hidden = item.size === null;
        row.classList.toggle("active", item.active);
      },
    };
  }

  #finishedRow(item) {
    const row = makeRow("finished-row", item, {
      delete: () => this.#delete(item, row, text("delete_finished")),
    });
    const link = row.querySelector("a");
    link.href = `uploads/${encodeURIComponent(item.id)}/file`;
    link.download = item.name;
    return {
      row,
      render: (item) => {
        const values = { size: bytes(item.size), time: date(item.changed) };
        set(row.querySelector(".details"), "textContent", text("finished_details", values));
      },
    };
  }

  /** Takes a file that was chosen for an unfinished upload: the same one, or another. */
  #goOn() {
    const [file] = this.#again.files;
    const { item, row } = this.#chosenFor ?? {};
    if (!file || !item) return;
    const problem = mismatch(file, item);
    tell(row, problem);
    if (!problem) this.#page.add([{ file, dir: item.dir }]);
  }

  async #delete(item, row, details) {
    const { name } = item;
    const heading = text("delete_question", { name });
    if (!(await ask({ heading, details, yes: text("delete") }))) return;
    tell(row, "");
    try {
      await remove(item.id);
      this.#page.say(text("said_removed", { name }));
      this.refresh();
    } catch (error) {
      if (error instanceof LoggedOut) this.#page.loggedOut({ wanted: true });
      tell(row, notDeleted(error, name));
    }
  }
}

/** Says why an upload could not be deleted. */
export function notDeleted(error, name) {
  const { reason, status, message } = error;
  if (!(error instanceof Passing)) return text("delete_failed", { name, message: served(message) });
  if (reason === "locked") return text("delete_locked", { name });
  return text("delete_failed", { name, message: text(`reason_${reason}`, { status }) });
}

/** Says how the chosen file differs from the unfinished one; empty when it is the same. */
function mismatch(file, item) {
  const { name, size, mtime } = item;
  if (file.name !== name) return text("not_the_file_name", { name });
  if (file.size !== size) {
    return text("not_the_file_size", { got: bytes(file.size), size: bytes(size) });
  }
  const changed = mtime !== undefined && file.lastModified !== mtime;
  return changed ? text("not_the_file_time", { time: date(mtime) }) : "";
}

function tell(row, problem) {
  const place = row.querySelector(".problem");
  place.textContent = problem;
  place.hidden = !problem;
}

/** One of the page's lists: its rows follow the items, and only what differs is touched. */
class List {
  wanted = MORE;
  #section;
  #rows = new Map();
  #make;

  constructor(id, make, more) {
    this.#section = document.getElementById(id);
    this.#make = make;
    this.#section.querySelector(".more").addEventListener("click", () => {
      this.wanted += MORE;
      more();
    });
  }

  show(items, wanted) {
    this.#section.querySelector(".more").hidden = items.length <= this.wanted;
    const shown = items.slice(0, this.wanted).filter(wanted);
    if (this.#section.id === "unfinished") this.#section.hidden = shown.length === 0;
    const ids = new Set(shown.map((item) => item.id));
    for (const [id, { row }] of this.#rows) {
      if (ids.has(id)) continue;
      removeRow(row);
      this.#rows.delete(id);
    }
    const place = this.#section.querySelector(".rows");
    shown.forEach((item, index) => {
      if (!this.#rows.has(item.id)) this.#rows.set(item.id, this.#make(item));
      const { row, render } = this.#rows.get(item.id);
      render(item);
      if (place.children[index] !== row) place.insertBefore(row, place.children[index] ?? null);
    });
  }
}
