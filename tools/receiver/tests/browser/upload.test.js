// One upload on the page, in a real browser, against the real receiver.

import assert from "node:assert/strict";
import { utimesSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";

import {
  assertStored,
  browser,
  button,
  chooseAgain,
  damageTwice,
  files,
  finished,
  LARGE,
  onSends,
  open,
  partial,
  receiver,
  restartReceiver,
  state,
  unfinished,
  uploading,
} from "./fixture.js";
import { FAST, Limiter, network, SLOW, until } from "./support.js";

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
    await state(page, file.name, "complete");
    const order = ["action", "id", "name", "size", "mtime", "dir", "offset", "length", "digest"];
    for (const fields of page.sends) {
      const end = Number(fields.offset) + Number(fields.length);
      const tail = fields.part ? ["part", "file", "part_blake3"] : ["file", end < 20_000_000 ? "prefix_blake3" : "blake3"];
      assert.deepEqual(Object.keys(fields), [...order, ...tail]);
    }
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

  test("continues by itself after the network was away", async () => {
    const file = files.make("network.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await partial(file.name);
    await network(page, 0);
    await state(page, file.name, "retrying");
    assert.match(await uploading(page, file.name).locator(".details").textContent(), /Trying again/);
    await network(page, FAST);
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assert.ok(page.sends.at(-1).offset > 0, JSON.stringify(page.sends));
  });

  test("continues by itself after the receiver was killed and restarted", async () => {
    const file = files.make("killed.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    const { offset } = await partial(file.name);
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

  test("of a small file waits for a receiver that is away when it is chosen", async () => {
    const file = files.make("away.bin", 1000);
    const page = await open();
    await receiver.kill();
    await page.locator("#files").setInputFiles(file.path);
    await state(page, file.name, "retrying");
    assert.match(await uploading(page, file.name).locator(".details").textContent(), /cannot be reached/);
    await receiver.restart();
    await finished(page, file.name).waitFor();
    await assertStored(file);
  });

  test("whose data arrive damaged is sent again", async () => {
    const file = files.make("cut.bin", 1_000_000);
    const page = await open();
    await onSends(page, 1, (route) => route.fulfill({ status: 400, json: { message: "the part 'file' has 7 bytes" } }));
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    assert.equal(page.sends.length, 2);
    await assertStored(file);
  });

  test("continues after a reload when its file is chosen again", async () => {
    const file = files.make("reload.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.getByLabel("Folder on the server").fill("films");
    await page.locator("#files").setInputFiles(file.path);
    await partial(file.name);
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

  test("continues in another browser session when the file is chosen again", async () => {
    const file = files.make("closed.bin", LARGE);
    const first = await open();
    await network(first, SLOW);
    await first.locator("#files").setInputFiles(file.path);
    await partial(file.name);
    await browser.restart();
    const { offset } = await partial(file.name);
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
    await partial(file.name);
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
    await partial(file.name);
    await button(page, "Cancel", file).click();
    await page.getByRole("button", { name: "Keep" }).click();
    await state(page, file.name, "sending");
    await button(page, "Cancel", file).click();
    await page.getByRole("button", { name: "Cancel the upload" }).click();
    await uploading(page, file.name).waitFor({ state: "detached" });
    assert.deepEqual(await receiver.uploads(), []);
    assert.equal(await unfinished(page, file.name).count(), 0);
  });

  test("begins again when the server has other bytes under its name", async () => {
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

  test("continues at the offset that another program has reached", async () => {
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

  test("waits when the server is at another offset again and again", async () => {
    const file = files.make("misplaced.bin", 1_000_000);
    const page = await open();
    await onSends(page, Infinity, async (route) => {
      const [{ id, offset }] = await receiver.uploads();
      await route.fulfill({ status: 409, json: { id, offset, state: "partial" } });
    });
    await page.locator("#files").setInputFiles(file.path);
    await state(page, file.name, "retrying");
    await page.unroute("**/upload");
    await finished(page, file.name).waitFor();
    await assertStored(file);
  });

  test("whose bytes were changed on the network is sent again, but not for ever", async () => {
    const file = files.make("damaged.bin", 1_000_000);
    const page = await open();
    await damageTwice(page, file);
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
    assert.match(await details.textContent(), /no space left/);
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

  test("waits while something else answers in the server's place, once that has answered", async () => {
    const file = files.make("foreign.bin", 1000);
    const page = await open();
    const answers = [{ status: 200 }, { status: 511 }, { status: 520 }, { status: 425 }];
    await onSends(page, answers.length, (route) =>
      route.fulfill({ body: "<html>Please log in</html>", ...answers.shift() }),
    );
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    assert.equal(answers.length, 0);
    await assertStored(file);
  });

  test("fails when something else answers first", async () => {
    const file = files.make("foreign-first.bin", 1000);
    const page = await open();
    await page.route("**/upload", (route) => route.fulfill({ body: "<html>Please log in</html>" }));
    await page.locator("#files").setInputFiles(file.path);
    await state(page, file.name, "failed");
  });

  test("of a file that is changed meanwhile fails and says what to do", async () => {
    const file = files.make("changed.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await partial(file.name);
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
    await restartReceiver("--max-segment", "700000");
    const file = files.make("limited.bin", 3_000_000);
    const page = await open();
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    assert.deepEqual(page.sends.map(({ length }) => length), ["700000", "700000", "700000", "700000", "200000"]);
    await assertStored(file);
  });
});
