// The uploads of this page, in their order, a few of them at a time.

import { Upload } from "./upload.js";

const AT_ONCE = 3;

export class Queue {
  uploads = [];
  /** What was complete and is not in the list any more: it counts until the list is empty. */
  gone = { files: 0, bytes: 0 };
  #changed;

  /** `changed` is called with an upload whenever there is something new to see of it. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Adds files with their directories, without those that are here already; returns how many. */
  add(files) {
    if (this.uploads.length === 0) this.gone = { files: 0, bytes: 0 };
    const known = new Map(this.uploads.map((upload) => [upload.key, upload]));
    let added = 0;
    for (const { file, dir } of files) {
      const upload = new Upload(file, dir, (upload) => this.#changed(upload));
      const before = known.get(upload.key);
      // The file may have been the reason of a failure, and the browser has opened it again.
      if (before?.state === "failed") this.drop(before);
      else if (before) {
        this.resume(before);
        continue;
      }
      known.set(upload.key, upload);
      this.uploads.push(upload);
      this.#changed(upload);
      added += 1;
    }
    this.work();
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

  /** Removes it from the list. */
  drop(upload) {
    const had = this.uploads.length;
    this.uploads = this.uploads.filter((other) => other !== upload);
    if (upload.state === "complete" && this.uploads.length < had) {
      this.gone.files += 1;
      this.gone.bytes += upload.size;
    }
    this.work();
  }

  /** Lists the uploads in one of these states. */
  in(...states) {
    return this.uploads.filter((upload) => states.includes(upload.state));
  }
}
