// Files from the user: chosen, chosen with their folder, or dropped.

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
