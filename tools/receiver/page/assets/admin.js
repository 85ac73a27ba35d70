// The admin's view: all users with what they have, and the uploads that are under way now.

import { set } from "./row.js";
import { LoggedOut, overview } from "./server.js";
import { bytes, date, percent, text } from "./texts.js";

const EVERY = 3000;
let timer = 0;
let latest = 0;

/** Fills a table: `cells` returns the texts of an item's row, of which the first one is its heading. */
function fill(id, items, cells) {
  const section = document.getElementById(id);
  section.querySelector("table").hidden = items.length === 0;
  section.querySelector(".empty").hidden = items.length > 0;
  const body = section.querySelector("tbody");
  while (body.rows.length > items.length) body.deleteRow(-1);
  items.forEach((item, index) => {
    const row = body.rows[index] ?? body.insertRow();
    cells(item).forEach((words, column) => {
      let cell = row.cells[column];
      if (!cell) {
        cell = document.createElement(column === 0 ? "th" : "td");
        if (column === 0) cell.scope = "row";
        row.append(cell);
      }
      set(cell, "textContent", words);
    });
  });
}

async function refresh() {
  clearTimeout(timer);
  const own = ++latest;
  const stale = document.getElementById("stale");
  try {
    const { users, running, free } = await overview();
    stale.hidden = true;
    set(document.getElementById("room"), "textContent", free === null ? "" : text("room_free", { left: bytes(free) }));
    fill("users", users, (user) => [
      user.admin ? text("is_admin", { name: user.name }) : user.name,
      String(user.files),
      bytes(user.bytes),
      user.quota === null ? "–" : text("quota_used", { percent: percent(user.bytes, user.quota), quota: bytes(user.quota) }),
      String(user.tokens),
      date(user.created),
    ]);
    fill("running", running, ({ user, dir, name, size, held }) => [
      dir ? `${dir}/${name}` : name,
      user,
      bytes(held),
      size === null ? "?" : bytes(size),
      size === null ? "" : percent(held, size),
    ]);
  } catch (error) {
    // The login leads back to here.
    if (error instanceof LoggedOut) location.reload();
    stale.hidden = false;
  }
  // Only the last call goes on, so that there is one timer.
  if (own === latest && !document.hidden) timer = setTimeout(refresh, EVERY);
}

document.addEventListener("visibilitychange", () => document.hidden || refresh());
refresh();
document.getElementById("app").hidden = false;
