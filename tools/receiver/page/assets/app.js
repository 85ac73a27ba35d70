// The page: takes files, shows their progress, and reports what happens.

import { Account } from "./account.js";
import { ask, askForLogin } from "./dialogs.js";
import { chosen, dropped, pasted, tidy } from "./files.js";
import { remember } from "./own.js";
import { Queue } from "./queue.js";
import { notDeleted, Records } from "./records.js";
import { describe, set, wayOut } from "./row.js";
import { each, LoggedOut } from "./server.js";
import { bytes, text } from "./texts.js";
import { UploadList } from "./uploads.js";

/** How often the page is drawn again. */
const TICK = 250;
/** How often screen readers get a text. */
const PEACE = 5000;
/** How many failures are told one by one. */
const FEW = 3;

/** What has happened since the last text for screen readers. */
let news = [];
let completed = [];
let failed = [];
let told = -Infinity;
/** Whether the server's lists lack an upload of this page, and how many ticks ago they were fetched. */
let outdated = false;
let ticks = 0;
/** Whether the user has closed the login. */
let declined = false;

const queue = new Queue((upload) => {
  uploads.changed(upload);
  if (upload.state === "complete") {
    completed.push(upload.file.name);
    outdated = true;
  }
  if (upload.state === "failed") failed.push(upload);
  if (upload.state === "logged_out") logIn();
});

const uploads = new UploadList(queue, {
  go: (upload) => {
    if (upload.state === "logged_out") return logIn({ wanted: true });
    if (upload.state !== "failed" || wayOut(upload.error) !== "choose_again") return queue.resume(upload);
    choose((file) => {
      queue.drop([upload]);
      add([{ file, dir: upload.dir }]);
    });
  },
  pause: (upload) => queue.pause(upload),
  cancel: (upload) => (upload.state === "complete" ? drop([upload]) : cancel(upload)),
});

const account = new Account({
  folders: (folders) => (records.library.folders = folders),
  say,
  loggedOut: logIn,
});

const records = new Records({
  uploads: ({ id, dir, name, size }) => queue.uploads.some((upload) => !upload.isListed &&
    (upload.id === id || (upload.dir === dir && upload.file.name === name && upload.size === size))),
  choose,
  add,
  say,
  loggedOut: logIn,
  complete: () => queue.in("complete").filter((upload) => !upload.isListed),
  listed: (uploads) => uploads.forEach((upload) => (upload.isListed = true)),
  deleted: () => account.refresh(),
});

remember(() => queue.uploads.filter((upload) => upload.running && upload.id).map((upload) => upload.id));

function add(files, unreadable = []) {
  const problem = document.getElementById("unreadable");
  set(problem, "textContent", unreadable.length > 0 ? text("unreadable", { names: unreadable.join(", ") }) : "");
  problem.hidden = unreadable.length === 0;
  if (files.length === 0) return say(text("said_nothing"));
  const count = queue.add(files);
  const { name } = files[0].file;
  if (count > 0) say(text(count === 1 && files.length === 1 ? "said_added_one" : "said_added", { count, name }));
  uploads.render();
  uploads.reveal(queue.uploads.at(-count));
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

/** Removes uploads from the list. */
function drop(some) {
  queue.drop(some);
  uploads.render();
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
  await remove([upload]);
  if (queue.uploads.includes(upload)) return;
  say(text("said_removed", { name }));
}

async function cancelAll() {
  const count = queue.uploads.filter((upload) => upload.state !== "complete").length;
  const question = {
    heading: text("cancel_all_question", { count }),
    details: text("cancel_all_text"),
    yes: text("cancel_all"),
  };
  if (count === 0 || !(await ask(question))) return;
  const open = queue.halt();
  // Of most of them the server has nothing.
  drop(open.filter((upload) => !upload.id));
  await remove(open.filter((upload) => upload.id));
  say(text("said_cancelled", { count: open.length }));
  document.getElementById("uploading-heading").focus();
}

/** Stops uploads for good, and removes what the server has of them. */
async function remove(some) {
  some.forEach((upload) => upload.halt());
  await each(some, async (upload) => {
    try {
      await upload.cancel();
    } catch (error) {
      if (error instanceof LoggedOut) logIn({ wanted: true });
      say(notDeleted(error, upload.file.name));
    }
    drop([upload]);
  });
  records.refresh();
  account.refresh();
}

/** Collects texts for screen readers, which get them all at the next tick. */
function say(sentence) {
  news.push(sentence);
}

function tell() {
  const peace = performance.now() - told < PEACE && queue.uploads.some((upload) => upload.running);
  if (!peace && completed.length + failed.length > 0) {
    told = performance.now();
    if (completed.length > 0) {
      const many = completed.length > 1;
      say(text(many ? "said_complete_many" : "said_complete", { name: completed[0], count: completed.length }));
    }
    const still = failed.filter((upload) => upload.state === "failed");
    if (still.length > FEW) say(text("said_failed_many", { count: still.length }));
    else still.forEach((upload) => say(text("said_failed", { name: upload.file.name, text: describe(upload) })));
    completed = [];
    failed = [];
  }
  if (news.length > 0) document.getElementById("said").textContent = news.join(" ");
  news = [];
}

setInterval(() => {
  uploads.render();
  tell();
  ticks += 1;
  // Thousands of small files are complete one after the other.
  if (!outdated || ticks < 2) return;
  records.refresh();
  account.refresh();
  outdated = false;
  ticks = 0;
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

const again = document.getElementById("again");
let choice = () => {};
again.addEventListener("change", () => again.files[0] && choice(again.files[0]));

/** Lets the user choose one file. */
function choose(take) {
  choice = take;
  again.value = "";
  again.click();
}

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

addEventListener("paste", (event) => {
  const files = pasted(event.clipboardData, target());
  if (files.length === 0) return;
  event.preventDefault();
  add(files);
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
document.getElementById("cancel-all").addEventListener("click", cancelAll);
document.getElementById("clear-done").addEventListener("click", () => {
  drop(queue.in("complete"));
  document.getElementById(queue.uploads.length > 0 ? "uploading-heading" : "choose-heading").focus();
});
addEventListener("offline", () => queue.uploads.some((upload) => upload.running) && say(text("said_lost")));
addEventListener("online", () => records.refresh());
addEventListener("beforeunload", (event) => {
  if (queue.uploads.some((upload) => upload.running || upload.state === "waiting")) event.preventDefault();
});

document.getElementById("app").hidden = false;
