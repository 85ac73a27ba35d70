// The page: takes files, shows their progress, and reports what happens.

import { ask, askForLogin } from "./dialogs.js";
import { chosen, dropped, tidy } from "./files.js";
import { Queue } from "./queue.js";
import { notDeleted, Records } from "./records.js";
import { describe, removeRow, set, UploadRow } from "./row.js";
import { LoggedOut } from "./server.js";
import { bytes, percent, span, text } from "./texts.js";

/** How often the page is drawn again. */
const TICK = 250;
/** How often screen readers get a text. */
const PEACE = 5000;

const section = document.getElementById("uploading");
const list = section.querySelector(".rows");
const title = document.title;

/** The rows of the uploads of this page. */
const rows = new Map();
/** The uploads that have to be drawn again. */
const dirty = new Set();
/** What has happened since the last text for screen readers. */
let news = [];
let completed = [];
let told = -Infinity;
/** Whether the server's lists lack an upload of this page. */
let outdated = false;
/** Whether the user has closed the login. */
let declined = false;

const queue = new Queue((upload) => {
  dirty.add(upload);
  if (upload.state === "complete") {
    completed.push(upload.file.name);
    outdated = true;
  }
  if (upload.state === "failed") {
    say(text("said_failed", { name: upload.file.name, text: describe(upload) }));
  }
  if (upload.state === "logged_out") logIn();
});

const records = new Records({
  uploads: ({ id, dir, name, size }) => queue.uploads.some((upload) =>
    upload.id === id || (upload.dir === dir && upload.file.name === name && upload.size === size)),
  add,
  say,
  loggedOut: logIn,
  complete: () => queue.in("complete"),
  listed: (uploads) => uploads.forEach((upload) => queue.drop(upload)),
});

function add(files, unreadable = []) {
  const problem = document.getElementById("unreadable");
  set(problem, "textContent", unreadable.length > 0 ? text("unreadable", { names: unreadable.join(", ") }) : "");
  problem.hidden = unreadable.length === 0;
  if (files.length === 0) return say(text("said_nothing"));
  const count = queue.add(files);
  const { name } = files[0].file;
  if (count > 0) say(text(count === 1 && files.length === 1 ? "said_added_one" : "said_added", { count, name }));
  render();
  const [first] = files;
  const shown = queue.uploads.find((upload) => upload.file === first.file);
  rows.get(shown)?.element.scrollIntoView({ block: "nearest" });
  records.refresh();
}

/** Opens the login by itself, until the user has closed it once. */
function logIn({ wanted = false } = {}) {
  if (declined && !wanted) return;
  askForLogin((done) => {
    declined = !done;
    if (!done) return;
    queue.in("logged_out").forEach((upload) => queue.resume(upload));
    records.refresh();
  });
}

async function cancel(upload) {
  const { name } = upload.file;
  const question = {
    heading: text("cancel_question", { name }),
    details: text("delete_unfinished", { done: bytes(upload.done) }),
    yes: text("cancel_yes"),
  };
  if (upload.id && upload.done > 0 && !(await ask(question))) return;
  if (upload.state === "complete") return;
  try {
    await upload.cancel();
    say(text("said_removed", { name }));
  } catch (error) {
    if (error instanceof LoggedOut) logIn({ wanted: true });
    say(notDeleted(error, name));
  }
  queue.drop(upload);
  render();
  records.refresh();
}

/** Collects texts for screen readers, which get them all at the next tick. */
function say(sentence) {
  news.push(sentence);
}

function tell() {
  const peace = performance.now() - told < PEACE && queue.uploads.some((upload) => upload.running);
  if (completed.length > 0 && !peace) {
    told = performance.now();
    const many = completed.length > 1;
    const values = { name: completed[0], count: completed.length };
    say(text(many ? "said_complete_many" : "said_complete", values));
    completed = [];
  }
  if (news.length > 0) document.getElementById("said").textContent = news.join(" ");
  news = [];
}

function render() {
  for (const [upload, row] of rows) {
    if (queue.uploads.includes(upload)) continue;
    removeRow(row.element);
    rows.delete(upload);
  }
  queue.in("retrying").forEach((upload) => dirty.add(upload));
  for (const upload of dirty) {
    if (!queue.uploads.includes(upload)) continue;
    if (rows.has(upload)) {
      rows.get(upload).render();
      continue;
    }
    const row = new UploadRow(upload, {
      go: (upload) => (upload.state === "logged_out" ? logIn({ wanted: true }) : queue.resume(upload)),
      pause: (upload) => queue.pause(upload),
      cancel,
    });
    rows.set(upload, row);
    list.append(row.element);
  }
  dirty.clear();
  section.hidden = queue.uploads.length === 0;
  renderTotal();
}

function renderTotal() {
  const sum = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
  const { gone } = queue;
  const size = gone.bytes + sum(queue.uploads.map((upload) => upload.size));
  const done = gone.bytes + sum(queue.uploads.map((upload) => upload.done));
  const active = queue.uploads.filter((upload) => upload.running || upload.state === "waiting");
  // What is paused or has failed takes no time.
  const unsent = sum(active.map((upload) => upload.size - upload.done));
  const left = queue.uploads.filter((upload) => upload.state !== "complete").length;
  const share = percent(done, size);
  const total = text(left === 1 ? "total_one" : "total", { left, percent: share });
  const rate = sum(queue.uploads.map((upload) => upload.rate.perSecond ?? 0));
  const moving = { total, rate: bytes(rate), time: rate && span(unsent / rate) };
  set(document.getElementById("total"), "textContent", rate ? text("total_moving", moving) : total);
  document.getElementById("total").hidden = queue.uploads.length + gone.files < 2;
  const under = active.length > 0;
  set(document, "title", under ? `${share} · ${title}` : title);
  const many = queue.uploads.length > 1;
  document.getElementById("pause-all").hidden = !many || !under;
  document.getElementById("resume-all").hidden = !many || queue.in("paused").length === 0;
}

setInterval(() => {
  render();
  tell();
  if (outdated) records.refresh();
  outdated = false;
}, TICK);

// How files are added.

const target = () => tidy(document.getElementById("target").value);

for (const [button, input] of [["choose-files", "files"], ["choose-folder", "folder"]]) {
  const field = document.getElementById(input);
  document.getElementById(button).addEventListener("click", () => field.click());
  const take = () => {
    add(chosen(field, target()));
    // So that the same file can be chosen again.
    field.value = "";
  };
  field.addEventListener("change", take);
  // On a slow network, files may be chosen before this script runs.
  if (field.files.length > 0) take();
}
// Telephones have no folders to choose.
document.getElementById("choose-folder").hidden = !("webkitdirectory" in HTMLInputElement.prototype);

let inside = 0;
const brings = (event) => event.dataTransfer?.types.includes("Files");
const mark = (change) => {
  inside = Math.max(0, inside + change);
  document.body.classList.toggle("dropping", inside > 0);
};
addEventListener("dragenter", (event) => brings(event) && mark(+1));
addEventListener("dragleave", (event) => brings(event) && mark(-1));
addEventListener("dragover", (event) => brings(event) && event.preventDefault());
addEventListener("drop", async (event) => {
  if (!brings(event)) return;
  event.preventDefault();
  mark(-Infinity);
  const { files, unreadable } = await dropped(event.dataTransfer, target());
  add(files, unreadable);
});

// Other events of the page.

document.getElementById("pause-all").addEventListener("click", () => {
  // The last ones first, so that none of them is started meanwhile.
  [...queue.uploads].reverse().forEach((upload) => queue.pause(upload));
  document.getElementById("uploading-heading").focus();
});
document.getElementById("resume-all").addEventListener("click", () => {
  queue.in("paused").forEach((upload) => queue.resume(upload));
  document.getElementById("uploading-heading").focus();
});
addEventListener("offline", () => queue.uploads.some((upload) => upload.running) && say(text("said_lost")));
addEventListener("online", () => records.refresh());
addEventListener("beforeunload", (event) => {
  if (queue.uploads.some((upload) => upload.running || upload.state === "waiting")) event.preventDefault();
});

document.getElementById("app").hidden = false;
