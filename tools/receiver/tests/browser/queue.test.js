// The list of this page's uploads: what stays, what helps, and thousands of files.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";

import {
  assertStored,
  button,
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
import { chooseMany } from "./many.js";
import { FAST, network, SLOW, until } from "./support.js";

const names = (page) => page.locator("#uploading .row .name").allTextContents();

/** Has the server say of all uploads that somebody sends them. */
function claim(page) {
  return page.route("**/uploads?*", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    json.uploads.forEach((upload) => (upload.active = true));
    await route.fulfill({ response, json });
  });
}

describe("after a reload", () => {
  test("one's own upload is not another program's, until another program sends it", async () => {
    const file = files.make("mine.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await partial(file.name);
    page.once("dialog", (dialog) => dialog.accept());
    // As long as the server has not noticed that nobody sends any more.
    await claim(page);
    await page.reload();
    const details = unfinished(page, file.name).locator(".details");
    await details.waitFor();
    assert.match(await details.textContent(), /last change/);
    await page.waitForResponse("**/uploads?*");
    assert.match(await details.textContent(), /last change/);
    await page.unroute("**/uploads?*");
    await until(async () => !(await receiver.uploads())[0].active);
    await page.waitForResponse("**/uploads?*");
    await page.waitForResponse("**/uploads?*");
    await claim(page);
    await details.getByText("by another program").waitFor();
  });
});

describe("a failed upload", () => {
  test("offers another try only where that may help", async () => {
    const page = await open();
    for (const [status, helps] of [[400, false], [403, false], [413, false], [409, true], [507, true]]) {
      const file = files.make(`${status}.bin`, 10);
      await page.route("**/upload", (route) => route.fulfill({ status, json: {} }));
      await page.locator("#files").setInputFiles(file.path);
      await state(page, file.name, "failed");
      const go = uploading(page, file.name).locator('[data-do="go"]');
      assert.equal(await go.isVisible(), helps, `${status}`);
      if (helps) assert.equal(await go.textContent(), "Try again");
      await page.unroute("**/upload");
    }
  });

  test("whose file has changed continues with the file that is chosen in its place", async () => {
    const file = files.make("changed.bin", LARGE);
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(file.path);
    await partial(file.name);
    writeFileSync(file.path, "something else");
    await network(page, FAST);
    await state(page, file.name, "failed");
    const chooser = page.waitForEvent("filechooser");
    await button(page, "Choose again", file).click();
    await (await chooser).setFiles(file.path);
    await state(page, file.name, "complete");
    assert.equal(await uploading(page, file.name).count(), 1);
    assert.equal((await receiver.uploads()).filter((upload) => upload.state === "complete")[0].size, 14);
  });
});

describe("a finished upload", () => {
  test("stays where it is until it is cleared away", async () => {
    const some = [1, 2, 3, 4].map((n) => files.make(`stay-${n}.bin`, n === 2 ? 1000 : LARGE / 2));
    const page = await open();
    await network(page, SLOW);
    await page.locator("#files").setInputFiles(some.map((file) => file.path));
    await state(page, some[1].name, "complete");
    await finished(page, some[1].name).waitFor();
    await page.waitForResponse("**/uploads?*");
    assert.deepEqual(await names(page), some.map((file) => file.name));
    await network(page, FAST);
    for (const file of some) await state(page, file.name, "complete");
    assert.match(await page.locator("#total").textContent(), /All 4 files/);
    assert.deepEqual(await names(page), some.map((file) => file.name));
    await button(page, "Clear", some[0]).click();
    assert.deepEqual(await names(page), some.slice(1).map((file) => file.name));
    await page.getByRole("button", { name: "Clear finished" }).click();
    await page.locator("#uploading").waitFor({ state: "hidden" });
    assert.equal((await receiver.uploads()).length, 4);
  });

  test("goes up again when it is chosen again, for it may have been deleted", async () => {
    const file = files.make("twice.bin", 1000);
    const page = await open();
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    const [{ id }] = await receiver.uploads();
    await fetch(`${receiver.url}uploads/${id}`, { method: "DELETE" });
    await page.locator("#files").setInputFiles(file.path);
    await until(async () => (await receiver.uploads()).some((upload) => upload.state === "complete"));
    await assertStored(file);
  });
});

describe("1 500 files", () => {
  test("are a list in order with few rows, and are cancelled together", async () => {
    const page = await open();
    await chooseMany(page, 1500);
    await until(async () => (await receiver.uploads()).length > 5);
    assert.ok((await page.locator("#uploading .row").count()) <= 50);
    const shown = (await names(page)).map((name) => Number(/\d+/.exec(name)[0]));
    assert.deepEqual(shown, [...shown].sort((a, b) => a - b));
    assert.match(await page.locator("#uploading .rest").textContent(), /more files/);
    const value = () => page.locator("#total-bar").evaluate((bar) => bar.value);
    assert.ok((await value()) > 0 && (await value()) < 1);
    await page.locator("#uploading .more").click();
    assert.ok((await page.locator("#uploading .row").count()) > 200);

    await page.getByRole("button", { name: "Cancel all" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel all" }).click();
    await page.getByRole("button", { name: "Cancel all" }).waitFor({ state: "hidden" });
    await until(async () => (await page.locator('#uploading .row:not([data-state="complete"])').count()) === 0);
    const there = await receiver.uploads();
    assert.ok(there.length < 1500);
    assert.deepEqual(there.filter((upload) => upload.state !== "complete"), []);
  });
});

describe("5 000 files", () => {
  test("do not keep the page from answering", async () => {
    const page = await open();
    await page.evaluate(() => {
      globalThis.beats = 0;
      const beat = () => {
        globalThis.beats += 1;
        setTimeout(beat, 20);
      };
      beat();
    });
    const beats = () => page.evaluate(() => globalThis.beats);
    await chooseMany(page, 5000);
    await until(async () => (await receiver.uploads()).length > 50);
    const before = await beats();
    await page.getByRole("button", { name: "Pause all" }).click();
    await page.getByRole("button", { name: "Resume all" }).click();
    await until(async () => (await receiver.uploads()).length > 100);
    // It has had time for other things in between, again and again.
    assert.ok((await beats()) - before > 5);
    assert.ok((await page.locator("#uploading .row").count()) <= 50);
  });
});
