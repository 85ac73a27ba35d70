// The page in a real browser, against the real receiver.

import assert from "node:assert/strict";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";

import { Browser, FAST, Files, Limiter, network, Receiver, SLOW, until } from "./support.js";

/** Large enough that it can be interrupted. */
const LARGE = 24_000_000;

let browser;
let receiver;
let files;

before(async () => (browser = await Browser.start()));
after(() => browser.stop());
beforeEach(async () => {
  receiver = await Receiver.start();
  files = new Files();
});
afterEach(async () => {
  await browser.closeAll();
  await receiver.stop();
  files.remove();
});

/** The page, open; a script's error fails the test. */
async function open(options) {
  const page = await browser.open(receiver.url, options);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

const uploading = (page, name) => page.locator("#uploading .row", { hasText: name });
const unfinished = (page, name) => page.locator("#unfinished .row", { hasText: name });
const finished = (page, name) => page.locator("#finished .row", { hasText: name });
const state = (page, name, state) => page.locator(`#uploading .row[data-state="${state}"]`, { hasText: name }).waitFor();

/** Waits until the server itself has some of the upload, but not all. */
function underWay(name, least = 1) {
  return until(async () => {
    const upload = (await receiver.uploads()).find((upload) => upload.name === name);
    return upload?.offset >= least && upload.state === "partial" && upload;
  });
}

const button = (page, action, { name }) => page.getByRole("button", { name: `${action}: ${name}`, exact: true });

async function chooseAgain(page, { name, path }) {
  const chooser = page.waitForEvent("filechooser");
  await button(page, "Choose again", { name }).click();
  await (await chooser).setFiles(path);
}

/** Lets `act` decide about the page's next sends, so many of them. */
function onSends(page, count, act) {
  return page.route("**/upload", (route) => {
    const sends = route.request().headers()["content-type"].startsWith("multipart/");
    return sends && count-- > 0 ? act(route) : route.continue();
  });
}

async function assertStored({ name, sha256 }) {
  assert.equal((await receiver.stored(name)).sha256, sha256);
}

describe("an upload", () => {
  test("of a file arrives as it was and appears with a link to it", async () => {
    const file = files.make("报告 \"1\" & <b>.bin", 20_000_000);
    const page = await open();
    await page.getByLabel("Folder on the server").fill(" /reports// 2026/ ");
    await page.locator("#files").setInputFiles(file.path);
    const row = finished(page, file.name);
    await row.waitFor();
    assert.equal(await row.locator(".name").textContent(), `reports/2026/${file.name}`);
    await assertStored(file);
    await page.locator("#uploading").waitFor({ state: "hidden" });
    const [first, last] = page.sends.map(Object.keys);
    const order = ["action", "id", "name", "size", "mtime", "dir", "offset", "length", "file"];
    assert.deepEqual([first, last], [[...order, "prefix_md5"], [...order, "md5"]]);
    assert.match(await page.getByRole("status").textContent(), /is uploaded/);

    const download = page.waitForEvent("download");
    await row.getByRole("link", { name: "Download" }).click();
    assert.equal((await download).suggestedFilename().slice(0, 2), "报告");
  });

  test("of an empty file works, and of the same content is instant", async () => {
    const empty = files.make("empty.txt", 0);
    const one = files.make("one.bin", 3_000_000);
    const page = await open();
    await page.locator("#files").setInputFiles([empty.path, one.path]);
    await finished(page, "empty.txt").waitFor();
    await finished(page, "one.bin").waitFor();
    await page.getByLabel("Folder on the server").fill("copy");
    await page.locator("#files").setInputFiles(one.path);
    await finished(page, "copy/one.bin").waitFor();
    assert.equal(page.sends.length, 2);
  });

  test("goes on by itself after the network was away", async () => {
    const file = files.make("network.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await underWay(file.name);
    await network(page, 0);
    await state(page, file.name, "retrying");
    assert.match(await uploading(page, file.name).locator(".details").textContent(), /Trying again/);
    await network(page, FAST);
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assert.ok(page.sends.at(-1).offset > 0, JSON.stringify(page.sends));
  });

  test("goes on by itself after the receiver was killed and came back", async () => {
    const file = files.make("killed.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    const { offset } = await underWay(file.name);
    await receiver.kill();
    await state(page, file.name, "retrying");
    await page.getByText("The list is not up to date").waitFor();
    await receiver.restart();
    await network(page, FAST);
    await button(page, "Try now", file).click({ timeout: 2000 }).catch(() => {});
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assert.ok(page.sends.at(-1).offset >= offset, JSON.stringify(page.sends));
    await page.getByText("The list is not up to date").waitFor({ state: "hidden" });
  });

  test("goes on after a reload when its file is chosen again", async () => {
    const file = files.make("reload.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.getByLabel("Folder on the server").fill("films");
    await page.locator("#files").setInputFiles(file.path);
    await underWay(file.name);
    page.once("dialog", (dialog) => {
      assert.equal(dialog.type(), "beforeunload");
      dialog.accept();
    });
    await page.reload();
    await network(page, FAST);
    page.sends = [];
    await chooseAgain(page, file);
    await finished(page, `films/${file.name}`).waitFor();
    await assertStored(file);
    assert.ok(page.sends[0].offset > 0, JSON.stringify(page.sends));
  });

  test("goes on in another browser session when the file is chosen as at first", async () => {
    const file = files.make("closed.bin", LARGE);
    const first = await open();
    await network(first, SLOW);
    await first.locator("#files").setInputFiles(file.path);
    await underWay(file.name);
    await browser.restart();
    const { offset } = await underWay(file.name);
    const second = await open();
    await second.locator("#files").setInputFiles(file.path);
    await finished(second, file.name).waitFor();
    await assertStored(file);
    assert.ok(Number(second.sends[0].offset) >= offset, JSON.stringify(second.sends));
  });

  test("pauses and resumes, with the focus where it was", async () => {
    const file = files.make("pause.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await underWay(file.name);
    await button(page, "Pause", file).press("Enter");
    await state(page, file.name, "paused");
    await until(async () => !(await receiver.uploads())[0].active);
    const [{ offset }] = await receiver.uploads();
    const focused = page.locator(":focus");
    assert.equal(await focused.getAttribute("aria-label"), `Resume: ${file.name}`);
    await network(page, FAST);
    page.sends = [];
    await focused.press("Enter");
    await finished(page, file.name).waitFor();
    assert.equal(Number(page.sends[0].offset), offset);
    await assertStored(file);
  });

  test("that is cancelled is gone from the server too", async () => {
    const file = files.make("cancel.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await underWay(file.name);
    await button(page, "Cancel", file).click();
    await page.getByRole("button", { name: "Keep" }).click();
    await state(page, file.name, "sending");
    await button(page, "Cancel", file).click();
    await page.getByRole("button", { name: "Cancel the upload" }).click();
    await uploading(page, file.name).waitFor({ state: "detached" });
    assert.deepEqual(await receiver.uploads(), []);
    assert.equal(await unfinished(page, file.name).count(), 0);
  });

  test("begins anew where the server has something else under its name", async () => {
    const file = files.make("other.bin", LARGE);
    utimesSync(file.path, 1_700_000_000, 1_700_000_000);
    const wrong = Buffer.from(file.content);
    wrong[5] ^= 1;
    await receiver.elsewhere(file.name, wrong, 10_000_000, { mtime: 1_700_000_000_000 });
    const page = await open();
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    assert.equal(page.sends[0].offset, "0");
    assert.match(page.sends[0].restart, /^[0-9a-f]{32}$/);
    assert.equal(page.sends[1].restart, undefined);
    await assertStored(file);
  });

  test("goes on from where another program has brought it meanwhile", async () => {
    const file = files.make("meanwhile.bin", LARGE);
    utimesSync(file.path, 1_700_000_000, 1_700_000_000);
    const page = await open();
    await onSends(page, 1, async (route) => {
      await receiver.elsewhere(file.name, file.content, 5_000_000, { mtime: 1_700_000_000_000 });
      await route.continue();
    });
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    assert.deepEqual(page.sends.slice(0, 2).map(({ offset }) => offset), ["0", "5000000"]);
    await assertStored(file);
  });

  test("whose bytes were changed on the way sends them again, but not for ever", async () => {
    const file = files.make("damaged.bin", 1_000_000);
    const page = await open();
    await onSends(page, 2, async (route) => {
      const [{ id, offset, state }] = await receiver.uploads();
      await route.fulfill({ status: 422, json: { error: "digest", id, offset, state } });
    });
    await page.locator("#files").setInputFiles(file.path);
    await state(page, file.name, "failed");
    assert.match(await uploading(page, file.name).locator(".details").textContent(), /not what was sent/);
    assert.equal(page.sends.length, 2);
    await button(page, "Try again", file).click();
    await finished(page, file.name).waitFor();
    await assertStored(file);
  });

  test("that cannot go on says why, and works when it is tried again", async () => {
    const file = files.make("refused.bin", 1000);
    const page = await open();
    await page.route("**/upload", (route) => route.fulfill({ status: 507, json: { message: "full" } }));
    await page.locator("#files").setInputFiles(file.path);
    await state(page, file.name, "failed");
    const details = uploading(page, file.name).locator(".details");
    assert.match(await details.textContent(), /no room left/);
    await page.unroute("**/upload");
    await button(page, "Try again", file).click();
    await finished(page, file.name).waitFor();
    await assertStored(file);
  });

  test("waits as long as a busy server asks for", async () => {
    const file = files.make("busy.bin", 1000);
    const page = await open();
    const times = [];
    await page.route("**/upload", (route) => {
      times.push(Date.now());
      if (times.length > 1) return route.continue();
      return route.fulfill({ status: 503, headers: { "Retry-After": "2" }, json: {} });
    });
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    assert.ok(times[1] - times[0] >= 2000);
  });

  test("of a file that is changed meanwhile fails with the way out", async () => {
    const file = files.make("changed.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await underWay(file.name);
    writeFileSync(file.path, "something else");
    await network(page, FAST);
    await state(page, file.name, "failed");
    const details = uploading(page, file.name).locator(".details");
    assert.match(await details.textContent(), /cannot be read any more/);
  });

  test("finds out what a proxy lets through", async () => {
    const proxy = await Limiter.start(receiver, 400_000);
    const page = await browser.open(proxy.url);
    const file = files.make("found-out.bin", 3_000_000);
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    assert.equal(page.sends.at(-2).length, "375000");
    await assertStored(file);
    proxy.stop();
  });

  test("keeps to the server's limit of one request", async () => {
    await receiver.stop();
    receiver = await Receiver.start("--max-segment", "700000");
    const file = files.make("limited.bin", 3_000_000);
    const page = await open();
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    assert.deepEqual(page.sends.map(({ length }) => length), ["700000", "700000", "700000", "700000", "200000"]);
    await assertStored(file);
  });
});

describe("many files", () => {
  test("go up at most three at a time, and are paused and resumed together", async () => {
    const some = [1, 2, 3, 4, 5].map((n) => files.make(`many-${n}.bin`, LARGE / 3));
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(some.map((file) => file.path));
    await page.locator('#uploading .row[data-state="sending"]').nth(2).waitFor();
    assert.equal(await page.locator('#uploading .row[data-state="waiting"]').count(), 2);
    await page.getByRole("button", { name: "Pause all" }).click();
    await page.locator('#uploading .row[data-state="paused"]').nth(4).waitFor();
    await network(page, FAST);
    await page.getByRole("button", { name: "Resume all" }).click();
    for (const file of some) await finished(page, file.name).waitFor();
    for (const file of some) await assertStored(file);
  });

  test("of a folder keep their places, also those of one name", async () => {
    const folder = join(files.dir, "album");
    mkdirSync(join(folder, "may", "1"), { recursive: true });
    writeFileSync(join(folder, "cover.txt"), "the album");
    writeFileSync(join(folder, "may", "cover.txt"), "of may!!!");
    writeFileSync(join(folder, "may", "1", "photo.txt"), "a photo");
    const page = await open();
    await page.getByLabel("Folder on the server").fill("2026");
    await page.locator("#folder").setInputFiles(folder);
    await finished(page, "photo.txt").waitFor();
    await finished(page, "2026/album/cover.txt").waitFor();
    await finished(page, "2026/album/may/cover.txt").waitFor();
    const found = (await receiver.uploads()).map(({ dir, name }) => `${dir}/${name}`);
    assert.deepEqual(found.sort(), [
      "2026/album/cover.txt",
      "2026/album/may/1/photo.txt",
      "2026/album/may/cover.txt",
    ]);
  });

  test("are taken when they are dropped, with all that is in their folders", async () => {
    const folder = join(files.dir, "dropped");
    mkdirSync(join(folder, "deep"), { recursive: true });
    for (let n = 0; n < 120; n += 1) writeFileSync(join(folder, `${n}.txt`), `file ${n}`);
    writeFileSync(join(folder, "deep", "last.txt"), "the last one");
    const single = files.make("single.bin", 5000);
    const page = await open();
    await drop(page, [folder, single.path]);
    await until(async () => (await receiver.uploads()).filter(({ state }) => state === "complete").length === 122);
    const dirs = new Set((await receiver.uploads()).map(({ dir }) => dir));
    assert.deepEqual([...dirs].sort(), ["", "dropped", "dropped/deep"]);
    await assertStored(single);
    assert.equal(await page.locator("body.dropping").count(), 0);
  });
});

describe("the lists", () => {
  test("show live what comes from elsewhere", async () => {
    const page = await open();
    await page.getByText("Nothing here yet").waitFor();
    const content = files.make("elsewhere.bin", 2_000_000).content;
    await receiver.elsewhere("elsewhere.bin", content, 500_000, { dir: "cli" });
    const row = unfinished(page, "cli/elsewhere.bin");
    await row.waitFor();
    assert.match(await row.locator(".details").textContent(), /500 kB of 2.00 MB/);
    await receiver.elsewhere("whole.bin", content);
    await finished(page, "whole.bin").waitFor();
    await page.getByText("Nothing here yet").waitFor({ state: "hidden" });
  });

  test("delete after a question, and say which file is another one", async () => {
    const content = files.make("half.bin", 2_000_000).content;
    await receiver.elsewhere("half.bin", content, 500_000, { mtime: 1_700_000_000_000 });
    await receiver.elsewhere("whole.bin", content);
    const page = await open();
    await unfinished(page, "half.bin").waitFor();
    for (const [name, size, problem] of [
      ["third.bin", 2_000_000, "is called half.bin"],
      ["half.bin", 1_000_000, "it has 1.00 MB"],
      ["half.bin", 2_000_000, "has changed since"],
    ]) {
      const { path } = files.make(name, size);
      await chooseAgain(page, { name: "half.bin", path });
      await unfinished(page, problem).waitFor();
    }

    await button(page, "Delete", { name: "whole.bin" }).click();
    await page.keyboard.press("Escape");
    await button(page, "Delete", { name: "whole.bin" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await finished(page, "whole.bin").waitFor({ state: "detached" });
    assert.equal(await page.locator(":focus").textContent(), "On the server");
    await button(page, "Delete", { name: "half.bin" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.locator("#unfinished").waitFor({ state: "hidden" });
    assert.deepEqual(await receiver.uploads(), []);
  });

  test("are as long as wanted", async () => {
    for (let n = 0; n < 103; n += 1) await receiver.elsewhere(`${n}.txt`, Buffer.from(`file ${n}`));
    const page = await open();
    await page.locator("#finished .row").nth(99).waitFor();
    assert.equal(await page.locator("#finished .row").count(), 100);
    await page.getByRole("button", { name: "Show more" }).click();
    await page.locator("#finished .row").nth(102).waitFor();
    await page.getByRole("button", { name: "Show more" }).waitFor({ state: "hidden" });
  });
});

describe("the page", () => {
  test("speaks the browser's language, or the one that was chosen", async () => {
    const page = await open({ locale: "zh-CN" });
    await page.getByRole("heading", { name: "上传文件" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "zh");
    const file = files.make("中文.txt", 10);
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).getByRole("link", { name: "下载" }).waitFor();
    await page.getByRole("link", { name: "English" }).click();
    await page.getByRole("heading", { name: "Upload files" }).waitFor();
    await page.goto(receiver.url);
    await page.getByRole("heading", { name: "Upload files" }).waitFor();
  });

  test("tells those without JavaScript what to do", async () => {
    const page = await browser.open(receiver.url, { javaScriptEnabled: false });
    const command = await page.locator("noscript code").textContent();
    assert.equal(command, `resup put FILE ${receiver.endpoint}`);
    assert.equal(await page.getByRole("button", { name: "Choose files" }).isVisible(), false);
  });

  test("shows names that look like markup as what they are", async () => {
    const page = await open();
    const file = files.make("<img src=x onerror=alert(1)>&lt;b&gt;.bin", 1000);
    await page.getByLabel("Folder on the server").fill("<i>d</i>");
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    await receiver.elsewhere("\"><svg onload=alert(1)>", file.content, 500);
    await unfinished(page, '"><svg onload=alert(1)>').waitFor();
    await finished(page, file.name).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: file.name }).waitFor();
    assert.equal(await page.locator("main img, main [onload], main i, main b, dialog img").count(), 0);
  });

  test("allows no foreign and no inline code, and is fetched again only when it is another one", async () => {
    const page = await fetch(receiver.url);
    assert.match(page.headers.get("content-security-policy"), /default-src 'self'/);
    assert.doesNotMatch(await page.text(), /<style|style=|<script(?! type="module" src=)|\son\w+=/);
    const asset = await fetch(`${receiver.url}assets/app.js`);
    const again = await fetch(asset.url, { headers: { "If-None-Match": asset.headers.get("etag") } });
    assert.deepEqual([asset.status, again.status], [200, 304]);
    assert.equal((await fetch(`${receiver.url}assets/..%2findex.html`)).status, 404);
  });
});

/** Drops files and folders on the page as a person does. */
async function drop(page, paths) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await session.send("Input.dispatchDragEvent", { type, x: 200, y: 200, data });
    if (type === "dragOver") assert.equal(await page.locator("body.dropping").count(), 1);
  }
}
