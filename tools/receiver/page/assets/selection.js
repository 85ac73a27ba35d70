// Several finished files at once: their download as one zip file, and their deletion.

import { ask } from "./dialogs.js";
import { set } from "./row.js";
import { csrf, each, LoggedOut, remove } from "./server.js";
import { bytes, text } from "./texts.js";

/** So many ids fit into a field of a form. */
const FIELD = 400;
/** So many fit into a form. */
const MOST = 1500;

export class Selection {
  #picked = new Map();
  #offered = [];
  #page;
  #changed;
  #bar = document.getElementById("selection");
  #all = document.getElementById("select-all");
  #isBusy = false;

  /** `changed` is called when other files are selected than the user has clicked. */
  constructor(page, changed) {
    this.#page = page;
    this.#changed = changed;
    this.#all.addEventListener("change", () => {
      for (const item of this.#offered) this.#set(item, this.#all.checked);
      changed();
      this.#render();
    });
    const act = (action, work) => this.#bar.querySelector(`[data-do="${action}"]`).addEventListener("click", work);
    act("zip", () => this.#download());
    act("delete", () => this.#delete());
    act("clear", () => {
      this.clear();
      this.#all.focus();
    });
    const frame = document.getElementById("zip-answer");
    // What is downloaded loads nothing there: this is a refusal. (The first load is the empty frame's.)
    frame.addEventListener("load", () => {
      if (this.#isBusy) page.say(text("zip_failed"));
      this.#isBusy = false;
    });
  }

  has({ id }) {
    return this.#picked.has(id);
  }

  pick(item, isPicked) {
    this.#set(item, isPicked);
    this.#render();
  }

  clear() {
    this.#picked.clear();
    this.#changed();
    this.#render();
  }

  /** Takes the files that are on the page now. */
  offer(items) {
    this.#offered = items;
    this.#render();
  }

  #set(item, isPicked) {
    if (isPicked) this.#picked.set(item.id, item);
    else this.#picked.delete(item.id);
  }

  #render() {
    const count = this.#picked.size;
    const size = [...this.#picked.values()].reduce((sum, item) => sum + item.size, 0);
    const here = this.#offered.filter((item) => this.has(item)).length;
    this.#all.closest("p").hidden = this.#offered.length === 0 && count === 0;
    this.#all.checked = here > 0 && here === this.#offered.length;
    this.#all.indeterminate = here > 0 && here < this.#offered.length;
    const words = text(count === 1 ? "selected_one" : "selected", { count, size: bytes(size) });
    set(this.#bar.querySelector(".details"), "textContent", words);
    this.#bar.hidden = count === 0;
    this.#bar.querySelector('[data-do="zip"]').disabled = count > MOST;
  }

  #download() {
    const form = document.getElementById("zip");
    const ids = [...this.#picked.keys()];
    const field = (name, value) => {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name, value });
      return input;
    };
    const fields = [field("csrf", csrf())];
    for (let at = 0; at < ids.length; at += FIELD) fields.push(field("ids", ids.slice(at, at + FIELD).join(",")));
    form.replaceChildren(...fields);
    this.#isBusy = true;
    form.submit();
    form.replaceChildren();
    this.#page.say(text("said_zip"));
  }

  async #delete() {
    const items = [...this.#picked.values()];
    const heading = text(items.length === 1 ? "delete_question" : "delete_many", { count: items.length, name: items[0].name });
    const details = text(items.length === 1 ? "delete_finished" : "delete_many_text");
    if (!(await ask({ heading, details, yes: text("delete") }))) return;
    let removed = 0;
    await each(items, async (item) => {
      try {
        await remove(item.id);
        removed += 1;
        this.#picked.delete(item.id);
      } catch (error) {
        // The others are tried all the same; what stays is still selected.
        if (error instanceof LoggedOut) this.#page.loggedOut({ wanted: true });
      }
    });
    this.#changed();
    this.#render();
    this.#page.say(text("said_removed_many", { count: removed }));
    const rest = items.length - removed;
    if (rest > 0) this.#page.say(text("delete_some_failed", { count: rest }));
    this.#page.deleted();
    await this.#page.refresh();
    document.getElementById("finished-heading").focus();
  }
}
