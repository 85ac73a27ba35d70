// The rows of the page's lists, and the texts for an upload's state.

import { Unreadable } from "./digest.js";
import { showKind } from "./kinds.js";
import { isOwn } from "./own.js";
import { Passing, Refused } from "./server.js";
import { bytes, percent, served, span, text } from "./texts.js";

/** Makes a row from a template of the page. */
export function makeRow(template, { name, dir }, actions) {
  const row = document.getElementById(template).content.cloneNode(true).firstElementChild;
  row.querySelector(".dir").textContent = dir && `${dir}/`;
  row.querySelector(".base").textContent = name;
  for (const element of row.querySelectorAll(".buttons > *")) nameAfter(element, name);
  row.querySelector("progress")?.setAttribute("aria-label", text("progress_of", { name }));
  for (const [action, act] of Object.entries(actions)) {
    row.querySelector(`[data-do="${action}"]`).addEventListener("click", act);
  }
  return row;
}

/** Labels a button with what it does, and to which file. */
function nameAfter(element, name) {
  element.setAttribute("aria-label", text("of_file", { action: element.textContent, name }));
}

/** Sets text or a property only where it changes: what stays the same is not read out again. */
export function set(element, property, value) {
  if (element[property] !== value) element[property] = value;
}

/** Shows a problem in a row; an empty one hides it. */
export function tell(row, problem) {
  const place = row.querySelector(".problem");
  place.textContent = problem;
  place.hidden = !problem;
}

/** Removes a row. The focus goes to its neighbour and not to the page's top. */
export function removeRow(row) {
  if (row.contains(document.activeElement)) {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    const heading = row.closest("section").querySelector("h2");
    (neighbour?.querySelector(".buttons > :not([hidden])") ?? heading).focus();
  }
  row.remove();
}

/** The row of an upload of this page. */
export class UploadRow {
  constructor(upload, { go, pause, cancel }) {
    this.upload = upload;
    const { file, dir } = upload;
    this.element = makeRow("upload-row", { name: file.name, dir }, {
      go: () => go(upload),
      pause: () => pause(upload),
      cancel: () => cancel(upload),
    });
    const find = (selector) => this.element.querySelector(selector);
    showKind(this.element, file.name);
    this.buttons = { go: find('[data-do="go"]'), pause: find('[data-do="pause"]'), cancel: find('[data-do="cancel"]') };
    this.progress = find("progress");
    this.details = find(".details");
    this.render();
  }

  render() {
    const { upload, element, buttons } = this;
    const { state } = upload;
    if (element.dataset.state !== state) element.dataset.state = state;
    const checking = state === "checking";
    const done = checking ? Math.max(upload.comparison.done, upload.done) : upload.done;
    set(this.progress, "value", upload.size === 0 ? Number(state === "complete") : done / upload.size);
    set(this.details, "textContent", describe(upload));

    const focused = element.contains(document.activeElement) ? document.activeElement : null;
    const go = state === "failed" ? wayOut(upload.error) : { paused: "resume", retrying: "try_now", logged_out: "log_in" }[state];
    if (go && buttons.go.textContent !== text(go)) {
      buttons.go.textContent = text(go);
      nameAfter(buttons.go, upload.file.name);
    }
    buttons.go.hidden = !go;
    buttons.pause.hidden = !upload.running && state !== "waiting";
    const drop = state === "complete" ? "remove" : "cancel";
    if (buttons.cancel.textContent !== text(drop)) {
      buttons.cancel.textContent = text(drop);
      nameAfter(buttons.cancel, upload.file.name);
    }
    buttons.cancel.hidden = state === "cancelling";
    if (focused?.hidden) {
      Object.values(buttons).find((button) => !button.hidden)?.focus();
    }
  }
}

/** Returns what helps after a failure, as the key of a button's text; null if nothing here does. */
export function wayOut(error) {
  if (error instanceof Unreadable) return "choose_again";
  // A page that is older than the server has to be reloaded; a file that is too large, forbidden or has such a name stays so.
  const stays = !(error instanceof Passing || error instanceof Refused);
  const isDigest = error.json?.error === "digest";
  return stays || (!isDigest && [400, 403, 413].includes(error.status)) ? null : "try_again";
}

/** Describes an upload's state. */
export function describe(upload) {
  const { state, error, id } = upload;
  const values = { done: bytes(upload.done), size: bytes(upload.size) };
  switch (state) {
    case "checking":
      return text("checking", { percent: percent(upload.comparison.done, Math.max(upload.comparison.total, 1)) });
    case "sending":
    case "paused":
      return state === "sending" ? moving("sending", values, upload) : text("paused", values);
    case "retrying": {
      const seconds = Math.ceil((upload.due - Date.now()) / 1000);
      const ending = error.reason === "locked" && isOwn(id);
      const values = { reason: ending ? text("reason_ending") : reason(error), seconds };
      return text(seconds > 0 ? "retrying" : "retrying_now", values);
    }
    case "failed":
      return failure(error);
    case "complete":
      return text("complete", values);
    default:
      return text(state);
  }
}

/** With rate and time left, where they are known. */
function moving(key, values, { rate, size, done }) {
  const { perSecond } = rate;
  if (!perSecond) return text(key, values);
  const time = span((size - done) / perSecond);
  return text(`${key}_moving`, { ...values, rate: bytes(perSecond), time });
}

function reason({ reason, status }) {
  return text(`reason_${reason}`, { status });
}

/** Says why it has failed, and what can be done. */
function failure(error) {
  if (error instanceof Unreadable) return text("fail_source");
  if (error instanceof Passing) {
    return error.reason === "locked" ? text("fail_locked") : text("fail_attempts", { reason: reason(error) });
  }
  if (!(error instanceof Refused)) return text("fail_strange");
  const { status, json } = error;
  if (json?.error === "digest") return text("fail_digest");
  const keys = { 400: "odd", 403: "forbidden", 409: "taken", 413: "large", 507: "room" };
  return text(`fail_${keys[status] ?? "refused"}`, { status, message: served(json?.message) });
}
