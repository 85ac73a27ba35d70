// What a program can tell of the page's accessibility, in all its dresses.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { Browser, Files, network, Receiver } from "./support.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const DESKTOP = { viewport: { width: 1200, height: 900 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const DRESSES = {
  light: DESKTOP,
  dark: { ...DESKTOP, colorScheme: "dark" },
  phone: PHONE,
  "dark phone, Chinese": { ...PHONE, colorScheme: "dark", locale: "zh-CN" },
};

let browser;
let receiver;
let files;

before(async () => {
  browser = await Browser.start();
  receiver = await Receiver.start();
  files = new Files();
  const { content } = files.make("half.bin", 100_000);
  await receiver.elsewhere("half.bin", content, 50_000, { dir: "a/b" });
  await receiver.elsewhere("whole.bin", content, content.length, { dir: "c" });
});
after(async () => {
  await browser.stop();
  await receiver.stop();
  files.remove();
});

/** Fails with what axe has to say, and where a phone's page is wider than the phone. */
async function check(page) {
  // As the browser's own, for the page allows no inline script.
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
  });
  assert.deepEqual(found, []);
  const { scroll, width } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    width: document.documentElement.clientWidth,
  }));
  assert.ok(scroll <= width, `the page is ${scroll} wide, the window ${width}`);
}

for (const [dress, options] of Object.entries(DRESSES)) {
  test(`nothing is in the way of who logs in: ${dress}`, async () => {
    const page = await browser.open(`${receiver.url}login`, options);
    await check(page);
    await page.locator("#user").fill("nobody");
    await page.locator("#password").fill("nothing");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await check(page);
    await browser.closeAll();
  });
}

for (const [dress, options] of Object.entries(DRESSES)) {
  test(`nothing is in the way of anybody: ${dress}`, async () => {
    const page = await browser.open(receiver.url, options);
    await page.locator("#finished .row").waitFor();
    await page.locator("#unfinished .row").waitFor();
    await check(page);

    await network(page, 200_000);
    const some = ["sending.bin", "paused.bin", "failed.bin", "retrying.bin"];
    const paths = some.map((name) => files.make(name, 5_000_000).path);
    const state = (state) => page.locator(`#uploading .row[data-state="${state}"]`).first();
    await page.locator("#files").setInputFiles(paths.slice(0, 2));
    await page.locator('#uploading [data-state="sending"]').nth(1).waitFor();
    await page.locator("#uploading .row", { hasText: "paused.bin" }).locator('[data-do="pause"]').click();
    for (const [status, path] of [[507, paths[2]], [503, paths[3]]]) {
      await page.route("**/upload", (route) => route.fulfill({ status, headers: { "Retry-After": "60" }, json: {} }));
      await page.locator("#files").setInputFiles(path);
      await state(status === 507 ? "failed" : "retrying").waitFor();
      await page.unroute("**/upload");
    }
    await state("paused").waitFor();
    await state("sending").waitFor();
    await page.locator("#finished .pick").first().check();
    await check(page);

    await page.locator('#finished [data-do="delete"]').first().click();
    await page.getByRole("dialog").waitFor();
    await check(page);
    await browser.closeAll();
    for (const { id, name } of await receiver.uploads()) {
      if (some.includes(name)) await fetch(`${receiver.url}uploads/${id}`, { method: "DELETE" });
    }
  });
}

for (const [dress, options] of Object.entries(DRESSES)) {
  test(`nothing is in the way of an admin, or of who changes a password: ${dress}`, async () => {
    const users = await Receiver.start("--quota", "1G");
    users.addUser("root", "correct horse battery", "--admin");
    const page = await browser.open(`${users.url}admin`, options);
    await page.locator("#user").fill("root");
    await page.locator("#password").fill("correct horse battery");
    await page.keyboard.press("Enter");
    await page.locator("#users tbody tr").waitFor();
    await check(page);
    await page.goto(users.url);
    await page.locator("#change-password").click();
    await page.getByRole("dialog").waitFor();
    await check(page);
    await browser.closeAll();
    await users.stop();
  });
}
