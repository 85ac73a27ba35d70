// The page in a real browser, against the real receiver: many files, the lists, the page itself.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import {
  assertStored,
  browser,
  button,
  chooseAgain,
  files,
  finished,
  LARGE,
  open,
  partial,
  receiver,
  state,
  unfinished,
  uploading,
} from "./fixture.js";
import { FAST, network, SLOW, until } from "./support.js";

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

  test("are taken without those that cannot be read, which are named", async () => {
    const page = await open();
    await page.evaluate(() => {
      const fail = (_, reject) => reject(new DOMException("", "NotReadableError"));
      const file = (name, read) => ({ name, isFile: true, file: read });
      const good = file("good.txt", (resolve) => resolve(new File(["good"], "good.txt")));
      const closed = { name: "closed", createReader: () => ({ readEntries: fail }) };
      const lists = [[good, file("bad.txt", fail), closed], []];
      const folder = { name: "folder", createReader: () => ({ readEntries: (resolve) => resolve(lists.shift()) }) };
      DataTransferItem.prototype.webkitGetAsEntry = () => folder;
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([], "folder"));
      document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
    });
    await finished(page, "folder/good.txt").waitFor();
    await page.getByRole("alert").getByText("left out: folder/bad.txt, folder/closed").waitFor();
    await page.locator("#files").setInputFiles(files.make("other.txt", 10).path);
    await page.locator("#unreadable").waitFor({ state: "hidden" });
  });
});

describe("the total", () => {
  for (const locale of ["en-GB", "zh-CN"]) {
    test(`counts what is finished until the list is empty, in ${locale}`, async () => {
      const some = [1, 2, 3, 4].map((n) => files.make(`sum-${n}.bin`, n * 1_000_000));
      const page = await open({ locale });
      // Each share that the page and its tab have shown.
      await page.evaluate(() => {
        const share = (text) => Number(/(\d+)\s*%/.exec(text)?.[1] ?? NaN);
        globalThis.shares = { total: [], title: [] };
        const note = () => {
          const total = document.getElementById("total");
          if (!total.hidden) globalThis.shares.total.push(share(total.textContent));
          if (document.title.includes("%")) globalThis.shares.title.push(share(document.title));
        };
        new MutationObserver(note).observe(document, { subtree: true, childList: true, characterData: true });
      });
      // The last one fails, and stays: the list is not empty before it is tried again.
      await page.route("**/upload", (route) => {
        const refused = (route.request().postData() ?? "").includes(some[3].name);
        return refused ? route.fulfill({ status: 507, json: {} }) : route.continue();
      });
      await network(page, SLOW);
      await page.locator("#files").setInputFiles(some.map((file) => file.path));
      for (const file of some.slice(0, 3)) await finished(page, file.name).waitFor();
      await state(page, some[3].name, "failed");
      // What is cleared away counts as well.
      await uploading(page, some[0].name).locator('[data-do="cancel"]').click();
      await uploading(page, some[0].name).waitFor({ state: "detached" });
      await until(async () => (await page.locator("#total").textContent()).includes("60"));
      const { total, title } = await page.evaluate(() => globalThis.shares);
      for (const shares of [total, title]) {
        const known = shares.filter((share) => !Number.isNaN(share));
        assert.ok(known.length > 3, `${shares}`);
        assert.deepEqual(known, [...known].sort((a, b) => a - b));
      }
      await page.unroute("**/upload");
      await network(page, FAST);
      await page.locator('#uploading .row[data-state="failed"] [data-do="go"]').click();
      await finished(page, some[3].name).waitFor();
      await until(async () => (await page.locator("#total").textContent()).includes("4"));
      // New files begin at nothing.
      const more = [5, 6].map((n) => files.make(`sum-${n}.bin`, LARGE / 3));
      await network(page, SLOW);
      await page.locator("#files").setInputFiles(more.map((file) => file.path));
      await uploading(page, more[0].name).waitFor();
      assert.equal(await uploading(page, some[1].name).count(), 0);
      const begin = await page.locator("#total").textContent();
      assert.ok(Number(/(\d+)\s*%/.exec(begin)[1]) < 50, begin);
    });
  }
});

describe("the lists", () => {
  test("show at once what other programs upload", async () => {
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

  test("show an upload of which the size is not known", async () => {
    const headers = { "Tus-Resumable": "1.0.0", "Upload-Defer-Length": "1", "Content-Type": "application/offset+octet-stream" };
    headers["Upload-Metadata"] = `filename ${btoa("piped.tar")}`;
    await fetch(new URL("upload", receiver.url), { method: "POST", headers, body: new Uint8Array(300_000) });
    const page = await open();
    const row = unfinished(page, "piped.tar");
    await row.waitFor();
    assert.match(await row.locator(".details").textContent(), /300 kB of \?/);
    assert.equal(await row.locator("[data-do=again]").isHidden(), true);
  });

  test("keep what was completed while they were fetched", async () => {
    const file = files.make("meanwhile.bin", LARGE);
    const page = await open();
    await page.evaluate(() => {
      globalThis.wrong = [];
      const shown = (id) => document.getElementById(id).textContent.includes("meanwhile.bin");
      let begun = false;
      new MutationObserver(() => {
        begun ||= shown("uploading");
        const isWrong = begun && (shown("unfinished") || !(shown("uploading") || shown("finished")));
        if (isWrong) globalThis.wrong.push(document.body.innerText);
      }).observe(document.body, { subtree: true, childList: true });
    });
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await partial(file.name);
    // Both lists are fetched now, and arrive when the upload is complete.
    const lists = [];
    await page.route("**/uploads?*", async (route) => {
      if (lists.length === 2) return route.continue();
      const list = { route };
      lists.push(list);
      list.response = await route.fetch();
    });
    await until(() => lists.length === 2 && lists.every(({ response }) => response));
    await network(page, FAST);
    await state(page, file.name, "complete");
    for (const { route, response } of lists) await route.fulfill({ response });
    await finished(page, file.name).waitFor();
    assert.deepEqual(await page.evaluate(() => globalThis.wrong), []);
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

  test("says in Chinese only what it knows to say in Chinese", async () => {
    const page = await open({ locale: "zh-CN" });
    for (const status of [400, 403, 409, 413, 418, 507]) {
      const file = files.make(`${status}.bin`, 10);
      await page.route("**/upload", (route) => route.fulfill({ status, json: { message: "this is English" } }));
      await page.locator("#files").setInputFiles(file.path);
      await state(page, file.name, "failed");
      const details = await uploading(page, file.name).locator(".details").textContent();
      assert.doesNotMatch(details, /[a-z]/i);
      await page.unroute("**/upload");
    }
    await page.context().close();
    const english = await open();
    const file = files.make("refused.bin", 10);
    await english.route("**/upload", (route) => route.fulfill({ status: 409, json: { message: "the name is taken" } }));
    await english.locator("#files").setInputFiles(file.path);
    await state(english, file.name, "failed");
    assert.match(await uploading(english, file.name).locator(".details").textContent(), /the name is taken/);
  });

  test("takes a file that is chosen before its script has come", async () => {
    const page = await open();
    let release;
    const wait = new Promise((resolve) => (release = resolve));
    await page.route("**/assets/app.js*", async (route) => {
      await wait;
      await route.continue();
    });
    await page.goto(receiver.url, { waitUntil: "commit" });
    const file = files.make("early.bin", 1000);
    await page.locator("#files").setInputFiles(file.path);
    release();
    await finished(page, file.name).waitFor();
    await assertStored(file);
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
    const policy = async (path) => (await fetch(`${receiver.url}${path}`)).headers.get("content-security-policy");
    for (const path of ["", "assets/app.js"]) assert.doesNotMatch(await policy(path), /unsafe/);
    assert.match(await policy("assets/digest-worker.js"), /script-src 'self' 'wasm-unsafe-eval'$/);
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
