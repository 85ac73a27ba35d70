// The finished files: searched, ordered, by folders, a page at a time, one or several of them for something.

import { copy } from "./copy.js";
import { showKind } from "./kinds.js";
import { List } from "./list.js";
import { makeRow, set } from "./row.js";
import { Selection } from "./selection.js";
import { list } from "./server.js";
import { bytes, date, text } from "./texts.js";

/** How many files a page has. */
const PAGE = 100;
/** Milliseconds after the last letter of a search. */
const TYPING = 300;

export class Library {
  /** The folder that is open; `null` where all files are shown, in whatever folder. */
  #folder = null;
  #folders = [];
  #search = "";
  #sort;
  /** Where this page and those before it begin. */
  #cursors = [undefined];
  #next;
  #items = [];
  /** Whether the number of files is to be told, since the user has asked for others. */
  #asked = false;
  #page;
  #section = document.getElementById("finished");
  #list;
  #selection;

  /** `page` fetches again (`refresh`), deletes a file (`delete`), and more as for the records. */
  constructor(page) {
    this.#page = page;
    this.#list = new List(this.#section, (item) => this.#row(item));
    this.#selection = new Selection(page, () => this.#list.redraw(this.#items));
    const sort = this.#find("#sort");
    this.#sort = sort.value;
    sort.addEventListener("change", () => {
      this.#sort = sort.value;
      this.#turn([undefined]);
    });
    const search = this.#find("#search");
    let typing;
    search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        this.#search = search.value.trim();
        this.#turn([undefined]);
      }, TYPING);
    });
    // A browser may have kept it over a reload.
    this.#search = search.value.trim();
    this.#find(".previous").addEventListener("click", () => this.#turn(this.#cursors.slice(0, -1)));
    this.#find(".next").addEventListener("click", () => this.#turn([...this.#cursors, this.#next]));
  }

  /** Takes the names of all folders, and offers those that are in the open one. */
  set folders(folders) {
    this.#folders = folders;
    this.#renderFolders();
  }

  /** Fetches the page that is shown. Returns what shows it, unless another one is wanted by then. */
  async fetch() {
    const cursors = this.#cursors;
    const query = { state: "complete", sort: this.#sort };
    if (this.#search) query.search = this.#search;
    if (this.#folder !== null) query.dir = this.#folder;
    const { uploads, next } = await list(query, PAGE, cursors.at(-1));
    // A list may end with a full page.
    const hasMore = next && (await list(query, 1, next)).uploads.length > 0;
    return () => {
      if (cursors === this.#cursors) this.#show(uploads, hasMore ? next : undefined);
    };
  }

  #find(selector) {
    return this.#section.querySelector(selector);
  }

  #turn(cursors) {
    this.#cursors = cursors;
    this.#asked = true;
    this.#page.refresh();
  }

  #open(folder) {
    this.#folder = folder;
    this.#selection.clear();
    // What is uploaded now goes there.
    document.getElementById("target").value = folder ?? "";
    this.#renderFolders();
    this.#turn([undefined]);
    this.#find(".path [aria-current]").focus();
  }

  #show(items, next) {
    // All of the last page may have been deleted.
    if (items.length === 0 && this.#cursors.length > 1) return this.#turn(this.#cursors.slice(0, -1));
    this.#items = items;
    this.#next = next;
    this.#list.show(items);
    this.#selection.offer(items);
    const limited = this.#search !== "" || this.#folder !== null;
    this.#find(".empty").hidden = items.length > 0 || limited;
    this.#find(".none").hidden = items.length > 0 || !limited;
    const [previous, following] = [this.#find(".previous"), this.#find(".next")];
    const focused = document.activeElement;
    previous.disabled = this.#cursors.length === 1;
    following.disabled = !next;
    if (focused === following && !next) previous.focus();
    if (focused === previous && previous.disabled) following.focus();
    this.#find(".pages").hidden = previous.disabled && following.disabled;
    set(this.#find(".page-number"), "textContent", text("page_number", { number: this.#cursors.length }));
    if (this.#asked) this.#page.say(text("said_found", { count: items.length }));
    this.#asked = false;
  }

  #row(item) {
    const row = makeRow("finished-row", item, {
      copy: async () => {
        const done = await copy(link.href);
        this.#page.say(text(done ? "said_copied" : "said_not_copied", { name: item.name }));
      },
      delete: () => this.#page.delete(item, row, text("delete_finished")),
    });
    const link = row.querySelector("a");
    link.href = `uploads/${encodeURIComponent(item.id)}/file`;
    link.download = item.name;
    showKind(row, item.name);
    const box = row.querySelector(".pick");
    box.setAttribute("aria-label", text("of_file", { action: text("select"), name: item.name }));
    box.addEventListener("change", () => this.#selection.pick(item, box.checked));
    return {
      row,
      render: (item) => {
        const values = { size: bytes(item.size), time: date(item.changed) };
        set(row.querySelector(".details"), "textContent", text("finished_details", values));
        set(box, "checked", this.#selection.has(item));
      },
    };
  }

  #renderFolders() {
    const path = this.#folder?.split("/").filter(Boolean) ?? [];
    const steps = [{ name: text("all_files"), to: null }];
    path.forEach((name, depth) => steps.push({ name, to: path.slice(0, depth + 1).join("/") }));
    const start = path.length > 0 ? `${path.join("/")}/` : "";
    const below = this.#folders.filter((dir) => dir.startsWith(start) && dir !== start);
    const names = [...new Set(below.map((dir) => dir.slice(start.length).split("/")[0]))];
    const button = ({ name, to }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = name;
      if (to === this.#folder) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => this.#open(to));
      return button;
    };
    const fill = (place, entries) => {
      // What is the same stays, and keeps the focus.
      const now = JSON.stringify([entries, this.#folder]);
      if (place.dataset.shows === now) return;
      place.dataset.shows = now;
      place.replaceChildren(...entries.map((entry) => {
        const item = document.createElement("li");
        item.append(button(entry));
        return item;
      }));
    };
    fill(this.#find(".path ol"), steps);
    fill(this.#find(".folders"), names.map((name) => ({ name, to: start + name })));
    this.#find(".path").hidden = this.#folders.length === 0 && this.#folder === null;
  }
}
