// What the server has: the lists of unfinished and finished uploads, kept up to date.

import { ask } from "./dialogs.js";
import { Library } from "./library.js";
import { List } from "./list.js";
import { isOwn, learn } from "./own.js";
import { makeRow, set, tell } from "./row.js";
import { list, LoggedOut, Passing, remove } from "./server.js";
import { bytes, date, served, text } from "./texts.js";

const EVERY = 3000;
const MORE = 100;

export class Records {
  library;
  #section = document.getElementById("unfinished");
  #unfinished;
  #wanted = MORE;
  #page;
  #timer = 0;
  #busy = null;
  #stale = document.querySelector("#finished .stale");

  /**
   * The page knows which files it is uploading itself (`uploads(item)`), lets one be chosen (`choose`), takes files (`add`), tells
   * the user something (`say`), and asks for a login (`loggedOut`). It has complete uploads (`complete`)
   * which the list of the finished ones has from then on (`listed`). `deleted` says that there is room again.
   */
  constructor(page) {
    this.#page = page;
    this.#unfinished = new List(this.#section, (item) => this.#row(item));
    this.library = new Library({
      refresh: () => this.refresh(),
      delete: (item, row, details) => this.#delete(item, row, details),
      say: page.say,
      loggedOut: page.loggedOut,
      deleted: page.deleted,
    });
    this.#section.querySelector(".more").addEventListener("click", () => {
      this.#wanted += MORE;
      this.refresh();
    });
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
      const [unfinished, show] = await Promise.all([
        list({ state: "partial" }, this.#wanted),
        this.library.fetch(),
      ]);
      this.#stale.hidden = true;
      this.#page.listed(complete);
      const items = unfinished.uploads.filter((item) => !this.#page.uploads(item));
      items.forEach(learn);
      this.#section.querySelector(".more").hidden = !unfinished.next;
      this.#unfinished.show(items);
      this.#section.hidden = items.length === 0;
      show();
    } catch (error) {
      if (error instanceof LoggedOut) this.#page.loggedOut();
      else this.#stale.hidden = false;
    }
  }

  #row(item) {
    const row = makeRow("unfinished-row", item, {
      again: () => this.#page.choose((file) => {
        const problem = mismatch(file, item);
        tell(row, problem);
        if (!problem) this.#page.add([{ file, dir: item.client_dir ?? item.dir }]);
      }),
      delete: () => this.#delete(item, row, text("delete_unfinished", { done: bytes(item.held) })),
    });
    return {
      row,
      render: (item) => {
        // Of some uploads only the program that sends them will know the size.
        const size = item.size === null ? "?" : bytes(item.size);
        const values = { done: bytes(item.held), size, time: date(item.changed) };
        const active = item.active && !isOwn(item.id);
        set(row.querySelector(".details"), "textContent", text(active ? "held_active" : "held", values));
        set(row.querySelector("progress"), "value", item.size ? item.held / item.size : 0);
        row.querySelector("[data-do=again]").hidden = item.size === null;
        row.classList.toggle("active", active);
      },
    };
  }

  async #delete(item, row, details) {
    const { name } = item;
    const heading = text("delete_question", { name });
    if (!(await ask({ heading, details, yes: text("delete") }))) return;
    tell(row, "");
    try {
      await remove(item.id);
      this.#page.say(text("said_removed", { name }));
      this.#page.deleted();
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
  const { size, mtime } = item;
  // A hook may have given it another one.
  const name = item.client_name ?? item.name;
  if (file.name !== name) return text("not_the_file_name", { name });
  if (file.size !== size) {
    return text("not_the_file_size", { got: bytes(file.size), size: bytes(size) });
  }
  const changed = mtime !== undefined && file.lastModified !== mtime;
  return changed ? text("not_the_file_time", { time: date(mtime) }) : "";
}
