// What page and server agree on, and servers and browsers of older kinds.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { describe, test } from "node:test";

import { assertStored, browser, files, finished, LARGE, onSends, open, receiver } from "./fixture.js";

/** Notes the fields of each locate of a page. */
function noteLocates(page) {
  page.locates = [];
  page.on("request", (request) => {
    const fields = new URLSearchParams(request.postData() ?? "");
    if (fields.get("action") === "locate") page.locates.push(Object.fromEntries(fields));
  });
}

const mtime = ({ path }) => Math.floor(statSync(path).mtimeMs);

async function upload(page, file) {
  await page.locator("#files").setInputFiles(file.path);
  await finished(page, file.name).waitFor();
  await assertStored(file);
}

describe("the digest", () => {
  test("is BLAKE3, which the server keeps", async () => {
    const page = await open();
    noteLocates(page);
    const [one, two] = [files.make("one.bin", 1_000_000), files.make("two.bin", 1_000_000)];
    await upload(page, one);
    await upload(page, two);
    const given = page.locates.map(({ digests, blake3, md5 }) => [digests, Boolean(blake3), Boolean(md5)]);
    // An older server would find the file by its MD5; by now it is known not to be one.
    assert.deepEqual(given, [["blake3,md5", true, true], ["blake3,md5", true, false]]);
    const { blake3, md5 } = await receiver.stored("two.bin");
    assert.equal(page.sends[1].blake3, blake3);
    assert.deepEqual([md5, page.sends[1].md5], [undefined, undefined]);
  });

  test("is MD5 at a server of version 1.0, which gets nothing new", async () => {
    const page = await open();
    // What is new in its answers is left out.
    await page.route("**/upload", async (route) => {
      const response = await route.fetch();
      const { state, offset, id, prefix_md5 } = await response.json();
      await route.fulfill({ response, json: { state, offset, id, prefix_md5 } });
    });
    const [large, small] = [files.make("large.bin", LARGE), files.make("small.bin", 1000)];
    await upload(page, large);
    await upload(page, small);
    const order = ["action", "id", "name", "size", "mtime", "dir", "offset", "length", "file"];
    for (const fields of page.sends) {
      const end = Number(fields.offset) + Number(fields.length);
      assert.deepEqual(Object.keys(fields), [...order, end < Number(fields.size) ? "prefix_md5" : "md5"]);
    }
    assert.ok(page.sends.length > 2);
  });

  test("is MD5 in a browser without WebAssembly", async () => {
    const page = await browser.open("about:blank");
    noteLocates(page);
    await page.route("**/digest-worker.js", async (route) => {
      const response = await route.fetch();
      const none = "self.WebAssembly = undefined;\n";
      await route.fulfill({ response, body: none + (await response.text()) });
    });
    await page.goto(receiver.url);
    const file = files.make("old.bin", LARGE);
    await upload(page, file);
    assert.equal(page.locates[0].digests, "md5");
    assert.equal(page.sends.at(-1).digest, "md5");
    assert.equal((await receiver.stored(file.name)).md5, page.sends.at(-1).md5);
  });

  test("is MD5 at a server of version 1.1 that knows no other", async () => {
    const page = await open();
    await page.route("**/upload", async (route) => {
      const request = route.request();
      const isLocate = request.headers()["content-type"].startsWith("application/x-www-form-urlencoded");
      const postData = isLocate ? request.postData().replace("blake3%2Cmd5", "md5") : undefined;
      await route.continue(isLocate ? { postData } : {});
    });
    const file = files.make("chosen.bin", LARGE);
    await upload(page, file);
    assert.equal(page.sends.at(-1).digest, "md5");
    assert.match(page.sends.at(-1).md5, /^[0-9a-f]{32}$/);
  });

  test("is that with which an older client has begun", async () => {
    const file = files.make("begun.bin", LARGE);
    const page = await open();
    await receiver.elsewhere(file.name, file.content, 5_000_000, { mtime: mtime(file) });
    await upload(page, file);
    assert.deepEqual([page.sends[0].offset, page.sends[0].digest], ["5000000", "md5"]);
  });
});

describe("a small file", () => {
  test("is stored in one request, once the server has said that it takes that", async () => {
    const page = await open();
    noteLocates(page);
    const [one, two, large] = [["one", 1000], ["two", 100_000], ["large", 300_000]].map(([name, size]) =>
      files.make(`${name}.bin`, size));
    for (const file of [one, two, large]) await upload(page, file);
    assert.deepEqual(page.locates.map(({ name }) => name), ["one.bin", "large.bin"]);
    assert.deepEqual(page.sends.map(({ action }) => action), ["send", "store", "send"]);
    assert.deepEqual(Object.keys(page.sends[1]), ["action", "name", "size", "mtime", "dir", "digest", "blake3", "file"]);
    const empty = files.make("empty.bin", 0);
    await upload(page, empty);
    assert.equal(page.sends[3].action, "store");
  });

  test("continues where the server has a part of it", async () => {
    const page = await open();
    await upload(page, files.make("first.bin", 10));
    const file = files.make("part.bin", 200_000);
    await receiver.elsewhere(file.name, file.content, 50_000, { mtime: mtime(file) });
    await upload(page, file);
    assert.deepEqual(page.sends.slice(1).map(({ action, offset }) => [action, offset]), [["store", undefined], ["send", "50000"]]);
  });

  test("is sent as before where a store is refused, and no other is stored", async () => {
    const page = await open();
    await upload(page, files.make("first.bin", 10));
    const some = [1, 2].map((n) => files.make(`refused-${n}.bin`, 10_000));
    await onSends(page, 1, (route) => route.fulfill({ status: 413, json: {} }));
    for (const file of some) await upload(page, file);
    assert.deepEqual(page.sends.slice(1).map(({ action }) => action), ["store", "send", "send"]);
  });

  test("is located after a store that broke", async () => {
    const page = await open();
    await upload(page, files.make("first.bin", 10));
    const file = files.make("broken.bin", 10_000);
    await onSends(page, 1, (route) => route.abort());
    await upload(page, file);
    assert.deepEqual(page.sends.slice(1).map(({ action }) => action), ["store", "send"]);
  });
});
