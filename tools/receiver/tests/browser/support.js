// A receiver as a process, a browser, and files to upload.

import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { chromium, firefox } from "playwright-core";

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

  /** Adds a user; from then on everybody has to log in. */
  addUser(name, password, ...flags) {
    execFileSync(BINARY, ["--data", this.data, "user", "add", name, ...flags], { input: `${password}\n`, stdio: "pipe" });
  }

  /** Ends all logins of a user. */
  changePassword(name, password) {
    execFileSync(BINARY, ["--data", this.data, "user", "passwd", name], { input: `${password}\n`, stdio: "pipe" });
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
    if (this.#child.signalCode) return;
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
    const answer = await fetch(`${this.url}uploads?limit=1000`, { headers });
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

/** A proxy before the receiver that takes bodies up to a size, as nginx does. */
export class Limiter {
  #server;

  static async start(receiver, most) {
    const limiter = new Limiter();
    limiter.#server = createServer((asked, answer) => {
      if (Number(asked.headers["content-length"]) > most) {
        answer.writeHead(413, { Connection: "close" }).end("<h1>413</h1>");
        return;
      }
      const { method, url: path, headers } = asked;
      const { hostname, port } = new URL(receiver.url);
      const passed = request({ method, path, headers, hostname, port }, (received) => {
        answer.writeHead(received.statusCode, received.headers);
        received.pipe(answer);
      });
      asked.pipe(passed);
    });
    await new Promise((resolve) => limiter.#server.listen(0, "127.0.0.1", resolve));
    limiter.url = `http://127.0.0.1:${limiter.#server.address().port}/`;
    return limiter;
  }

  stop() {
    this.#server.close();
    this.#server.closeAllConnections();
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

/** How each browser is started, without a window. */
const ENGINES = {
  chromium: () => chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Root has no sandbox, and containers have little shared memory.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  }),
  // As it is handed out, by WebDriver BiDi.
  firefox: () => firefox.launch({
    channel: "moz-firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
  }),
};

/** A browser without a window. */
export class Browser {
  #launch;
  #browser;
  /** What went wrong in the pages' scripts. */
  #errors = [];

  static async start(engine = "chromium") {
    const browser = new Browser();
    browser.#launch = ENGINES[engine];
    browser.#browser = await browser.#launch();
    return browser;
  }

  /**
   * A page in a session of its own; its `sends` are the forms that it has sent, `most` how many of them at a time, and `log` has
   * them and the answers in their order.
   */
  async open(url, options = {}) {
    const context = await this.#browser.newContext({ locale: "en-GB", ...options });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    page.on("pageerror", (error) => {
      // A page that is left while it loads its texts has nobody to tell.
      const isLeft = /fetch/.test(error.message) && /texts\.js/.test(error.stack);
      if (!isLeft) this.#errors.push(error);
    });
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) this.#errors.push(message.text());
    });
    Object.assign(page, { sends: [], most: 0, log: [] });
    await page.exposeFunction("noteSend", (fields, underWay) => {
      const sent = Object.fromEntries(fields);
      page.sends.push(sent);
      page.log.push({ sent });
      page.most = Math.max(page.most, underWay);
    });
    await page.exposeFunction("noteAnswer", (answer) => page.log.push({ answer }));
    await page.addInitScript(note);
    await page.goto(url);
    return page;
  }

  /** Closes all pages; fails when a script of one has failed. */
  async closeAll() {
    for (const context of this.#browser.contexts()) await context.close();
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw new Error(`errors in the page: ${errors.join("; ")}`);
  }

  /** Ends the program at once, and starts another one that remembers nothing. */
  async restart() {
    await this.#browser.close();
    this.#browser = await this.#launch();
  }

  stop() {
    return this.#browser.close();
  }
}

const networks = new WeakMap();

/** The page's network sends so many bytes a second from now on; none at all when it is 0. */
export async function network(page, bytesPerSecond) {
  if (!networks.has(page)) {
    networks.set(page, await page.context().newCDPSession(page));
    await networks.get(page).send("Network.enable");
  }
  await networks.get(page).send("Network.emulateNetworkConditions", {
    offline: bytesPerSecond === 0,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: Number.isFinite(bytesPerSecond) ? bytesPerSecond : -1,
  });
}

/** So slow that there is time for something to happen. */
export const SLOW = 3_000_000;
/** As fast as this machine is. */
export const FAST = Infinity;

/** Notes the fields of each send, in the order of the form, how many are under way, and the answers; runs in the page. */
function note() {
  const { send } = XMLHttpRequest.prototype;
  let underWay = 0;
  XMLHttpRequest.prototype.send = function (body) {
    if (body instanceof FormData) {
      underWay += 1;
      this.addEventListener("readystatechange", () => {
        if (this.readyState !== XMLHttpRequest.DONE) return;
        underWay -= 1;
        // Errors and foreign answers are none.
        if (this.status === 200 && this.responseText.startsWith("{")) globalThis.noteAnswer(JSON.parse(this.responseText));
      });
      const text = (value) => (value instanceof Blob ? `${value.size} bytes` : value);
      globalThis.noteSend([...body].map(([name, value]) => [name, text(value)]), underWay);
    }
    return send.call(this, body);
  };
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
