// The uploads of this page as a list: as many rows as somebody can look at, and all in one sum.

import { Rate } from "./rate.js";
import { removeRow, set, UploadRow } from "./row.js";
import { bytes, percent, span, text } from "./texts.js";

/** How many rows there are, until the user wants more. */
const ROWS = 50;
const MORE = 200;
/** How many of them at least are of what was completed last, so that it does not vanish at once. */
const DONE = 10;

const title = document.title;
const sum = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

export class UploadList {
  #queue;
  #actions;
  #wanted = ROWS;
  #rows = new Map();
  /** The uploads that have to be drawn again. */
  #dirty = new Set();
  /** The rate of all together, where each file is too small for one of its own. */
  #rate = new Rate();
  #done = 0;
  #section = document.getElementById("uploading");
  #list = this.#section.querySelector(".rows");

  /** The rows' buttons do what is in `actions`. */
  constructor(queue, actions) {
    this.#queue = queue;
    this.#actions = actions;
    this.#section.querySelector(".more").addEventListener("click", () => {
      this.#wanted += MORE;
      this.render();
    });
  }

  changed(upload) {
    this.#dirty.add(upload);
  }

  /** Brings the upload's row into view, if it has one. */
  reveal(upload) {
    this.#rows.get(upload)?.element.scrollIntoView({ block: "nearest" });
  }

  render() {
    const { uploads } = this.#queue;
    const shown = this.#choose(uploads);
    for (const [upload, row] of this.#rows) {
      if (shown.has(upload)) continue;
      removeRow(row.element);
      this.#rows.delete(upload);
    }
    let index = 0;
    for (const upload of shown) {
      let row = this.#rows.get(upload);
      if (!row) {
        row = new UploadRow(upload, this.#actions);
        this.#rows.set(upload, row);
      } else if (this.#dirty.has(upload) || upload.state === "retrying") row.render();
      const there = this.#list.children[index];
      if (there !== row.element) this.#list.insertBefore(row.element, there ?? null);
      index += 1;
    }
    this.#dirty.clear();
    this.#section.hidden = uploads.length === 0;
    const rest = uploads.length - shown.size;
    const hint = this.#section.querySelector(".rest");
    hint.hidden = rest === 0;
    set(hint, "textContent", text("not_shown", { count: rest }));
    this.#section.querySelector(".more").hidden = rest === 0;
    this.#renderTotal();
  }

  /** Chooses the uploads that have rows: what needs somebody's eyes first. They stay in the order of the queue. */
  #choose(uploads) {
    if (uploads.length <= this.#wanted) return new Set(uploads);
    const groups = { running: [], failed: [], complete: [], waiting: [] };
    for (const upload of uploads) {
      const failed = ["failed", "logged_out"].includes(upload.state) && "failed";
      const group = failed || (upload.running && "running") || (upload.state === "complete" && "complete") || "waiting";
      groups[group].push(upload);
    }
    const { running, failed, complete, waiting } = groups;
    const order = [...running, ...complete.slice(-DONE), ...failed, ...waiting, ...complete.slice(0, -DONE).reverse()];
    const chosen = new Set(order.slice(0, this.#wanted));
    return new Set(uploads.filter((upload) => chosen.has(upload)));
  }

  #renderTotal() {
    const { uploads, gone } = this.#queue;
    const find = (id) => document.getElementById(id);
    const size = gone.bytes + sum(uploads.map((upload) => upload.size));
    const done = gone.bytes + sum(uploads.map((upload) => upload.done));
    const active = uploads.filter((upload) => upload.running || upload.state === "waiting");
    // What is paused or has failed takes no time.
    const unsent = sum(active.map((upload) => upload.size - upload.done));
    const complete = uploads.filter((upload) => upload.state === "complete").length;
    const left = uploads.length - complete;
    const share = percent(done, size);
    const count = uploads.length + gone.files;
    const key = { 0: "total_done", 1: "total_one" }[left] ?? "total";
    const total = text(key, { left, percent: share, count });
    if (active.length === 0) this.#rate.stop();
    else this.#rate.add(Math.max(done - this.#done, 0));
    this.#done = done;
    const rate = sum(uploads.map((upload) => upload.rate.perSecond ?? 0)) || (active.length > 0 && this.#rate.perSecond) || 0;
    const moving = { total, rate: bytes(rate), time: rate && span(unsent / rate) };
    set(find("total"), "textContent", rate ? text("total_moving", moving) : total);
    find("total").hidden = count < 2;
    find("total-bar").hidden = count < 2;
    set(find("total-bar"), "value", size === 0 ? Number(left === 0) : done / size);
    const under = active.length > 0;
    set(document, "title", under ? `${share} · ${title}` : title);
    const many = uploads.length > 1;
    const show = (id, shows) => {
      const button = find(id);
      if (!shows && document.activeElement === button) find("uploading-heading").focus();
      button.hidden = !shows;
    };
    show("pause-all", many && under);
    show("resume-all", many && uploads.some((upload) => upload.state === "paused"));
    show("cancel-all", many && left > 0);
    show("clear-done", complete > 0);
  }
}
