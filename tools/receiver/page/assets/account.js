// The user's account: how much room is left, the folders that are there, the password.

import { account, changePassword, LoggedOut, Refused } from "./server.js";
import { bytes, served, text } from "./texts.js";

/** Milliseconds in which it is fetched once. */
const EVERY = 5000;

export class Account {
  #page;
  #timer = 0;
  #fetched = -Infinity;

  /** `page` takes the names of the folders (`folders`), tells the user something (`say`) and asks for a login (`loggedOut`). */
  constructor(page) {
    this.#page = page;
    const dialog = document.getElementById("password");
    document.getElementById("change-password")?.addEventListener("click", () => this.#open(dialog));
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#change(dialog);
    });
    this.refresh();
  }

  /** Fetches it soon: something was uploaded or deleted. */
  refresh() {
    clearTimeout(this.#timer);
    const wait = Math.max(0, this.#fetched + EVERY - performance.now());
    this.#timer = setTimeout(() => this.#fetch(), wait);
  }

  async #fetch() {
    this.#fetched = performance.now();
    try {
      const { bytes: used, quota, free, folders } = await account();
      const room = document.getElementById("room");
      const left = quota === null ? free : Math.min(Math.max(quota - used, 0), free ?? Infinity);
      room.textContent = left === null ? "" : text(quota === null ? "room_free" : "room_quota", {
        left: bytes(left),
        quota: quota === null ? "" : bytes(quota),
      });
      this.#offer(folders);
      this.#page.folders(folders);
    } catch {
      // The lists say that the server cannot be reached.
    }
  }

  /** Offers the folders, with those that they are in, for the next uploads. */
  #offer(folders) {
    const all = new Set();
    for (const folder of folders) {
      const parts = folder.split("/");
      parts.forEach((_, depth) => all.add(parts.slice(0, depth + 1).join("/")));
    }
    const options = [...all].sort().map((folder) => {
      const option = document.createElement("option");
      option.value = folder;
      return option;
    });
    document.getElementById("folder-names").replaceChildren(...options);
  }

  #open(dialog) {
    dialog.querySelector("form").reset();
    this.#explain(dialog, "");
    dialog.showModal();
  }

  #explain(dialog, problem) {
    const place = dialog.querySelector(".problem");
    place.textContent = problem;
    place.hidden = !problem;
  }

  async #change(dialog) {
    const { old, fresh, again } = dialog.querySelector("form").elements;
    if (fresh.value !== again.value) return this.#explain(dialog, text("password_differs"));
    this.#explain(dialog, "");
    try {
      await changePassword(old.value, fresh.value);
      dialog.close();
      this.#page.say(text("said_password"));
    } catch (error) {
      if (error instanceof LoggedOut) {
        dialog.close();
        this.#page.loggedOut({ wanted: true });
      }
      this.#explain(dialog, explain(error));
    }
  }
}

function explain(error) {
  if (!(error instanceof Refused)) return text(error.reason === "busy" ? "reason_busy" : "reason_unreachable");
  const { json } = error;
  if (json?.error === "old_password") return text("password_wrong");
  if (json?.error === "password") return text("password_bad");
  return text("password_failed", { message: served(json?.message) });
}
