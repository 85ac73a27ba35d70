// Uploads by Uppy, in Chromium, from a page of the receiver's own origin.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { Browser, FAST, Files, network, Receiver, SLOW, until } from "./support.js";

const UPPY = readFileSync(createRequire(import.meta.url).resolve("uppy/dist/uppy.min.mjs"));
const PAGE = `<!doctype html><meta charset="utf-8"><title>Uppy</title><input type="file" id="files"><script type="module">
import { Uppy, Tus } from "./uppy.mjs";
const options = JSON.parse(new URLSearchParams(location.search).get("options"));
const uppy = new Uppy().use(Tus, { endpoint: "/upload", retryDelays: [0, 200, 1000], ...options });
uppy.on("complete", (result) => (document.title = result.failed.length ? "failed" : "done"));
uppy.on("error", (error) => console.log(String(error)));
const files = document.querySelector("#files");
files.addEventListener("change", () => {
  const [data] = files.files;
  uppy.addFile({ name: data.name, type: data.type, data, meta: { relativePath: options.path ?? null } });
  uppy.upload();
});
</script>`;
const SIZE = 24_000_000;

let browser;
before(async () => (browser = await Browser.start()));
after(() => browser.stop());

/** Opens Uppy's page, as if it was one of the receiver's site. */
async function open(receiver, options) {
  const page = await browser.open("about:blank");
  await page.route("**/uppy.mjs", (route) => route.fulfill({ contentType: "text/javascript", body: UPPY }));
  await page.route("**/uppy.html?*", (route) => route.fulfill({ contentType: "text/html", body: PAGE }));
  await page.goto(`${receiver.url}uppy.html?options=${encodeURIComponent(JSON.stringify(options))}`);
  page.patches = [];
  page.on("request", (request) => {
    if (request.method() === "PATCH") page.patches.push(Number(request.headers()["upload-offset"]));
  });
  return page;
}

async function withReceiver(work) {
  const receiver = await Receiver.start("--commit-bytes", "500000");
  const files = new Files();
  try {
    await work(receiver, files);
  } finally {
    await browser.closeAll();
    await receiver.stop();
    files.remove();
  }
}

const done = (page) => page.waitForFunction(() => document.title === "done");

function amid(receiver) {
  return until(async () => {
    const [upload] = await receiver.uploads();
    return upload?.offset > SIZE / 4 && upload;
  });
}

for (const chunkSize of [undefined, 5_000_000]) {
  test(`Uppy, chunks of ${chunkSize ?? "all"}: goes on after a reload`, () =>
    withReceiver(async (receiver, files) => {
      const page = await open(receiver, { chunkSize, path: "photos/文.bin" });
      const file = files.make("文.bin", SIZE);
      await network(page, SLOW);
      await page.locator("#files").setInputFiles(file.path);
      await amid(receiver);
      await page.reload();
      await until(async () => !(await receiver.uploads())[0].active);
      // Only now all is in it that came.
      const [partial] = await receiver.uploads();
      assert.deepEqual([partial.name, partial.dir, partial.state], ["文.bin", "photos", "partial"]);
      page.patches.length = 0;
      await network(page, FAST);
      await page.locator("#files").setInputFiles(file.path);
      await done(page);
      assert.equal(page.patches[0], partial.offset);
      assert.equal((await receiver.stored(file.name)).sha256, file.sha256);
    }));
}

test("Uppy: goes on when the receiver was killed, with a password", () =>
  withReceiver(async (receiver, files) => {
    receiver.addUser("joe", "correct horse");
    const headers = { Authorization: `Basic ${Buffer.from("joe:correct horse").toString("base64")}` };
    const page = await open(receiver, { headers });
    const file = files.make("a.bin", SIZE);
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await until(async () => (await receiver.uploads(headers))[0]?.offset > SIZE / 4);
    await receiver.kill();
    await receiver.restart();
    await network(page, FAST);
    await done(page);
    assert.ok(page.patches.at(-1) > SIZE / 4, page.patches.join());
    assert.equal((await receiver.stored(file.name, headers)).sha256, file.sha256);
  }));
