// A receiver as a process, a browser, and files to upload.

import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const BINARY = process.env.RESUP_RECEIVER;
if (!BINARY) throw new Error("RESUP_RECEIVER does not name the receiver's binary: use `make test-page`");

/** A receiver with a directory of its own. */
export class Receiver {
  data = mkdtempSync(join(tmpdir(), "resup-page-"));
  #flags;
  #child;

  static async start(...flags) {
    const receiver = new Receiver();
    receiver.#flags = flags;
    await receiver.#spawn("127.0.0.1:0");
    return receiver;
  }

  async #spawn(listen) {
    const args = ["--data", this.data, "--listen", listen, ...this.#flags];
    this.#child = spawn(BINARY, args, { stdio: ["ignore", "pipe", process.env.LOUD ? "inherit" : "ignore"] });
    for await (const line of createInterface(this.#child.stdout)) {
      this.endpoint = line.replace("listening on ", "");
      this.url = this.endpoint.replace("upload", "");
      return;
    }
    throw new Error("the receiver did not start");
  }

  /** At once, as a power cut would. */
  async kill() {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }

  /** Again, on the same address and directory. */
  restart() {
    return this.#spawn(new URL(this.url).host);
  }

  async stop() {
    await this.kill();
    rmSync(this.data, { recursive: true });
  }

  /** All uploads of the owner. */
  async uploads(headers = {}) {
    const answer = await fetch(`${this.url}uploads`, { headers });
    return (await answer.json()).uploads;
  }

  /** The one finished upload of this name, and the digest of what the receiver gives out for it. */
  async stored(name, headers = {}) {
    const found = (await this.uploads(headers)).filter((upload) => upload.name === name);
    if (found.length !== 1) throw new Error(`${found.length} uploads are called ${name}`);
    const file = await fetch(`${this.url}uploads/${found[0].id}/file`, { headers });
    const content = Buffer.from(await file.arrayBuffer());
    return { ...found[0], sha256: createHash("sha256").update(content).digest("hex") };
  }

  /** An upload as another program makes it, up to `length` of its bytes. */
  async elsewhere(name, content, length = content.length, fields = {}) {
    fields = { name, size: content.length, dir: "", ...fields };
    const located = await fetch(this.endpoint, {
      method: "POST",
      body: new URLSearchParams({ action: "locate", ...fields }),
    });
    const { id } = await located.json();
    const form = new FormData();
    const add = (fields) => Object.entries(fields).forEach((field) => form.append(...field));
    add({ action: "send", id, ...fields, offset: 0, length });
    form.append("file", new Blob([content.subarray(0, length)]), name);
    const sent = await fetch(this.endpoint, { method: "POST", body: form });
    return sent.json();
  }
}

/** A directory with files to upload. */
export class Files {
  dir = mkdtempSync(join(tmpdir(), "resup-files-"));

  /** A file of so many random bytes. */
  make(name, size) {
    const path = join(this.dir, name);
    const content = randomBytes(size);
    writeFileSync(path, content);
    return { name, path, content, sha256: createHash("sha256").update(content).digest("hex") };
  }

  remove() {
    rmSync(this.dir, { recursive: true });
  }
}

/** Chromium without a window. */
export class Browser {
  #chromium;
  /** What went wrong in the pages' scripts. */
  #errors = [];

  static async start() {
    const browser = new Browser();
    await browser.#launch();
    return browser;
  }

  async #launch() {
    this.#chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // Root has no sandbox, and containers have little shared memory.
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    });
  }

  /** A page in a session of its own. */
  async open(url, options = {}) {
    const context = await this.#chromium.newContext({ locale: "en-GB", ...options });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    page.on("pageerror", (error) => this.#errors.push(error));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) this.#errors.push(message.text());
    });
    await page.goto(url);
    return page;
  }

  /** Closes all pages; fails when a script of one has failed. */
  async closeAll() {
    for (const context of this.#chromium.contexts()) await context.close();
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw new Error(`errors in the page: ${errors.join("; ")}`);
  }

  /** Ends the program at once, and starts another one that remembers nothing. */
  async restart() {
    await this.#chromium.close();
    await this.#launch();
  }

  stop() {
    return this.#chromium.close();
  }
}

/** The page's network sends so many bytes a second from now on. */
export async function slowly(page, bytesPerSecond = 3_000_000) {
  const session = await page.context().newCDPSession(page);
  const uploadThroughput = Number.isFinite(bytesPerSecond) ? bytesPerSecond : -1;
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput,
  });
}

/** The fields of each send that the page makes from now on. */
export function sends(page) {
  const seen = [];
  page.on("request", (request) => {
    if (request.method() !== "POST" || !request.url().endsWith("/upload")) return;
    if (!request.headers()["content-type"].startsWith("multipart/")) return;
    const head = request.postDataBuffer()?.subarray(0, 4096).toString("latin1") ?? "";
    const field = (name) => head.match(new RegExp(`name="${name}"\r\n\r\n([^\r]*)`))?.[1];
    seen.push({ offset: Number(field("offset")), length: Number(field("length")), restart: field("restart") });
  });
  return seen;
}

/** Waits until `condition` answers something true, and returns that. */
export async function until(condition) {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
