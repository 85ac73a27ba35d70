// The uploads of this page, in their order, a few of them at a time.

import { Upload } from "./upload.js";

const AT_ONCE = 3;

const { compare } = new Intl.Collator(document.documentElement.lang, { numeric: true });

export class Queue {
  uploads = [];
  /** What was complete and is not in the list any more: it counts until the list is empty. */
  gone = { files: 0, bytes: 0 };
  #changed;

  /** `changed` is called with an upload whenever there is something new to see of it. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Adds files with their directories in the order of their names, without those that are here already; returns how many. */
  add(files) {
    // A new list begins when the last one is done.
    if (this.uploads.every((upload) => upload.state === "complete")) {
      this.uploads = [];
      this.gone = { files: 0, bytes: 0 };
    }
    const known = new Map(this.uploads.map((upload) => [upload.key, upload]));
    const sorted = [...files].sort((a, b) => compare(a.dir, b.dir) || compare(a.file.name, b.file.name));
    const replaced = new Set();
    let added = 0;
    for (const { file, dir } of sorted) {
      const upload = new Upload(file, dir, (upload) => this.#changed(upload));
      const before = known.get(upload.key);
      // The file may have been the reason of a failure, and the browser has opened it again. And what is complete may have
      // been deleted on the server.
      if (["failed", "complete"].includes(before?.state)) replaced.add(before);
      else if (before) {
        this.resume(before);
        continue;
      }
      known.set(upload.key, upload);
      this.uploads.push(upload);
      this.#changed(upload);
      added += 1;
    }
    this.drop(replaced);
    return added;
  }

  /** Starts uploads whose turn it is. */
  work() {
    let free = AT_ONCE - this.uploads.filter((upload) => upload.running).length;
    for (const upload of this.uploads) {
      if (free <= 0) break;
      if (upload.state !== "waiting") continue;
      free -= 1;
      upload.run().then(() => this.work());
    }
  }

  /** Lets a paused or failed upload wait for its turn again. */
  resume(upload) {
    if (upload.state === "retrying") upload.tryNow();
    else if (["paused", "failed", "logged_out"].includes(upload.state)) upload.resume();
    this.work();
  }

  pause(upload) {
    if (upload.running || upload.state === "waiting") upload.pause();
    this.work();
  }

  /** Stops all that are not complete, and returns them. */
  halt() {
    const open = this.uploads.filter((upload) => upload.state !== "complete");
    // The last ones first, so that none of them is started meanwhile.
    open.reverse().forEach((upload) => upload.halt());
    return open;
  }

  /** Removes some from the list. */
  drop(uploads) {
    const dropped = new Set(uploads);
    const complete = this.uploads.filter((upload) => dropped.has(upload) && upload.state === "complete");
    this.uploads = this.uploads.filter((upload) => !dropped.has(upload));
    this.gone.files += complete.length;
    this.gone.bytes += complete.reduce((sum, upload) => sum + upload.size, 0);
    this.work();
  }

  /** Lists the uploads in one of these states. */
  in(...states) {
    return this.uploads.filter((upload) => states.includes(upload.state));
  }
}
