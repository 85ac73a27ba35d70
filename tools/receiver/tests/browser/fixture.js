// A browser and a receiver for each test of the page, and what the tests do on the page.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";

import { Browser, Files, Receiver, until } from "./support.js";

/** Large enough that it can be interrupted. */
export const LARGE = 24_000_000;

export let browser;
export let receiver;
export let files;

before(async () => (browser = await Browser.start()));
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

/** The page, open; a script's error fails the test. */
export async function open(options) {
  const page = await browser.open(receiver.url, options);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

export const uploading = (page, name) => page.locator("#uploading .row", { hasText: name });
export const unfinished = (page, name) => page.locator("#unfinished .row", { hasText: name });
export const finished = (page, name) => page.locator("#finished .row", { hasText: name });
export const state = (page, name, state) => page.locator(`#uploading .row[data-state="${state}"]`, { hasText: name }).waitFor();

/** Waits until the server itself has some of the upload, but not all. */
export function partial(name, least = 1) {
  return until(async () => {
    const upload = (await receiver.uploads()).find((upload) => upload.name === name);
    return upload?.offset >= least && upload.state === "partial" && upload;
  });
}

export const button = (page, action, { name }) => page.getByRole("button", { name: `${action}: ${name}`, exact: true });

export async function chooseAgain(page, { name, path }) {
  const chooser = page.waitForEvent("filechooser");
  await button(page, "Choose again", { name }).click();
  await (await chooser).setFiles(path);
}

/** Lets `act` decide about the page's next sends, so many of them. */
export function onSends(page, count, act) {
  return page.route("**/upload", (route) => {
    const sends = route.request().headers()["content-type"].startsWith("multipart/");
    return sends && count-- > 0 ? act(route) : route.continue();
  });
}

/** Chooses a file of which the next two sends are answered as damaged, and waits until its upload has failed. */
export async function damageTwice(page, file) {
  await onSends(page, 2, async (route) => {
    const [{ id, offset, state }] = await receiver.uploads();
    await route.fulfill({ status: 422, json: { error: "digest", id, offset, state } });
  });
  await page.locator("#files").setInputFiles(file.path);
  await state(page, file.name, "failed");
  assert.match(await uploading(page, file.name).locator(".details").textContent(), /received other data/);
}

export async function assertStored({ name, sha256 }) {
  assert.equal((await receiver.stored(name)).sha256, sha256);
}

/** Replaces the receiver by one with these flags. */
export async function restartReceiver(...flags) {
  await receiver.stop();
  receiver = await Receiver.start(...flags);
}
