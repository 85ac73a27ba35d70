// The main flows in Firefox, as it is handed out.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { chooseMany } from "./many.js";
import { Link } from "./link.js";
import { Browser, FAST, Files, Receiver, SLOW, until } from "./support.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PASSWORD = "correct horse battery";
const LARGE = 24_000_000;

let browser;
let receiver;
let files;

before(async () => (browser = await Browser.start("firefox")));
after(() => browser.stop());
beforeEach(async () => {
  receiver = await Receiver.start();
  files = new Files();
});
afterEach(async () => {
  try {
    await browser.closeAll();
  } finally {
    await receiver.stop();
  }
  files.remove();
});

const row = (page, section, name) => page.locator(`#${section} .row`, { hasText: name });
const state = (page, name, state) => page.locator(`#uploading .row[data-state="${state}"]`, { hasText: name }).waitFor();
const button = (page, name) => page.getByRole("button", { name, exact: true });

async function assertAccessible(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => (await globalThis.axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`));
  assert.deepEqual(found, []);
}

describe("Firefox", () => {
  test("uploads files in parts and small ones, lists, finds, downloads and deletes them", async () => {
    const page = await browser.open(receiver.url);
    const [large, small] = [files.make("large.bin", LARGE), files.make("small 文.txt", 1000)];
    await page.getByLabel("Folder on the server").fill("2026");
    await page.locator("#files").setInputFiles([large.path, small.path]);
    for (const { name, sha256 } of [large, small]) {
      await state(page, name, "complete");
      await row(page, "finished", `2026/${name}`).waitFor();
      assert.equal((await receiver.stored(name)).sha256, sha256);
    }
    assert.ok(page.sends.some((send) => send.blake3 || send.part_blake3));
    await assertAccessible(page);

    await page.getByLabel("Search").fill("small");
    await row(page, "finished", large.name).waitFor({ state: "detached" });
    await page.getByLabel(`Select: ${small.name}`).check();
    await page.locator("#selection").waitFor();
    await page.getByLabel("Search").fill("");
    await row(page, "finished", large.name).waitFor();
    await page.getByRole("button", { name: "Delete selected" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await row(page, "finished", small.name).waitFor({ state: "detached" });
    assert.deepEqual((await receiver.uploads()).map(({ name }) => name), [large.name]);
  });

  test("pauses, goes on after a cut, and after a reload when the file is chosen again", async () => {
    const link = await Link.start(receiver, SLOW);
    const page = await browser.open(link.url);
    const file = files.make("broken.bin", LARGE);
    await page.locator("#files").setInputFiles(file.path);
    const partial = (least) => until(async () => (await receiver.uploads()).find((upload) => upload.offset > least));
    await partial(0);
    await button(page, `Pause: ${file.name}`).click();
    await state(page, file.name, "paused");
    await button(page, `Resume: ${file.name}`).click();
    await until(() => link.cut());
    const { offset } = await partial(0);
    page.on("dialog", (dialog) => dialog.accept());
    await page.reload();
    await row(page, "unfinished", file.name).waitFor();
    link.rate = FAST;
    await page.locator("#files").setInputFiles(file.path);
    await state(page, file.name, "complete");
    assert.equal((await receiver.stored(file.name)).sha256, file.sha256);
    assert.ok(offset > 0);
    link.stop();
  });

  test("takes 1 500 files with few rows, and cancels them together", async () => {
    const page = await browser.open(receiver.url);
    await chooseMany(page, 1500);
    await until(async () => (await receiver.uploads()).length > 5);
    assert.ok((await page.locator("#uploading .row").count()) <= 50);
    await button(page, "Cancel all").click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel all" }).click();
    await button(page, "Cancel all").waitFor({ state: "hidden" });
    assert.ok((await receiver.uploads()).length < 1500);
  });

  test("logs in, and shows an admin all users", async () => {
    receiver.addUser("root", PASSWORD, "--admin");
    const page = await browser.open(receiver.url);
    await page.getByLabel("User name").fill("root");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("Logged in as root").waitFor();
    await page.getByRole("link", { name: "Administration" }).click();
    await page.locator("#users tr", { hasText: "root (admin)" }).waitFor();
    await assertAccessible(page);
  });
});
