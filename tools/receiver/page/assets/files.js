// Files from the user: chosen, chosen with their folder, or dropped.

import { text } from "./texts.js";

/** Turns `a//b/` into `a/b`. */
export function tidy(dir) {
  return dir.split("/").map((part) => part.trim()).filter(Boolean).join("/");
}

function join(...dirs) {
  return dirs.filter(Boolean).join("/");
}

/** Lists the files that were chosen in an input. Files of a folder keep their path in it. */
export function chosen(input, target) {
  return [...input.files].map((file) => {
    const path = file.webkitRelativePath.split("/").slice(0, -1);
    return { file, dir: join(target, ...path) };
  });
}

/** Lists the files that were pasted. A picture gets a name of its own: browsers call each one the same. */
export function pasted(clipboard, target) {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  const time = [two(now.getHours()), two(now.getMinutes()), two(now.getSeconds())].join(".");
  return [...(clipboard?.files ?? [])].map((file, index) => {
    if (!/^image\.\w+$/.test(file.name)) return { file, dir: target };
    const number = index > 0 ? ` ${index + 1}` : "";
    const name = `${text("pasted_picture")} ${day} ${time}${number}.${file.name.split(".").at(-1)}`;
    return { file: new File([file], name, { type: file.type, lastModified: Number(now) }), dir: target };
  });
}

/** Lists the files that were dropped, with all files in dropped folders, and the paths of what cannot be read. */
export async function dropped(transfer, target) {
  // The items are gone as soon as this function waits for something.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const unreadable = [];
  const found = await Promise.all(entries.map((entry) => walk(entry, target, unreadable)));
  return { files: found.flat(), unreadable };
}

async function walk(entry, dir, unreadable) {
  const found = [];
  try {
    if (entry.isFile) {
      found.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), dir });
      return found;
    }
    const reader = entry.createReader();
    for (;;) {
      // It returns only some at a time, 100 in Chromium.
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return found;
      for (const child of some) found.push(...(await walk(child, join(dir, entry.name), unreadable)));
    }
  } catch {
    unreadable.push(join(dir, entry.name));
    return found;
  }
}
