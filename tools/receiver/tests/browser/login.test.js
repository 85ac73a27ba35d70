// Logging in on the page, and what it means for uploads.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { Browser, FAST, Files, network, Receiver, SLOW, until } from "./support.js";

const PASSWORD = "correct horse battery";
const BASIC = { Authorization: `Basic ${Buffer.from(`joe:${PASSWORD}`).toString("base64")}` };

let browser;
let receiver;
let files;

before(async () => (browser = await Browser.start()));
after(() => browser.stop());
beforeEach(async () => {
  receiver = await Receiver.start();
  receiver.addUser("joe", PASSWORD);
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

async function logIn(page, password = PASSWORD, user = "joe") {
  await page.getByLabel("User name").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

const finished = (page, name) => page.locator("#finished .row", { hasText: name });

test("one logs in, uploads a file that is stored as it was, deletes it, and logs out", async () => {
  const page = await browser.open(receiver.url);
  assert.equal(new URL(page.url()).pathname, "/login");
  await logIn(page, "wrong");
  assert.match(await page.getByRole("alert").textContent(), /is wrong/);
  assert.equal(await page.getByLabel("User name").inputValue(), "joe");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByText("Logged in as joe").waitFor();

  const file = files.make("mine.bin", 12_000_000);
  await page.locator("#files").setInputFiles(file.path);
  await finished(page, file.name).waitFor();
  assert.equal((await receiver.stored(file.name, BASIC)).sha256, file.sha256);

  await finished(page, file.name).getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await finished(page, file.name).waitFor({ state: "detached" });
  assert.deepEqual(await receiver.uploads(BASIC), []);

  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.goto(receiver.url);
  assert.equal(new URL(page.url()).pathname, "/login");
});

test("a session that ends while a file goes up costs a login and nothing else", async () => {
  const page = await browser.open(receiver.url);
  await logIn(page);
  await network(page, SLOW);
  const file = files.make("long.bin", 24_000_000);
  const other = files.make("waiting.bin", 9_000_000);
  await page.locator("#files").setInputFiles([file.path, other.path]);
  const { offset } = await until(async () => (await receiver.uploads(BASIC)).find((upload) => upload.offset > 0));
  // The same password again, but all who knew it have to say it again.
  receiver.changePassword("joe", PASSWORD);
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Your session has ended").waitFor();
  await page.locator('#uploading .row[data-state="logged_out"]').first().waitFor();
  await dialog.getByLabel("Password").fill("wrong");
  await dialog.getByRole("button", { name: "Log in" }).click();
  await dialog.getByRole("alert").getByText("is wrong").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: `Log in: ${file.name}` }).click();
  await network(page, FAST);
  page.sends = [];
  await dialog.getByLabel("Password").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Log in" }).click();
  await finished(page, file.name).waitFor();
  await finished(page, other.name).waitFor();
  assert.ok(page.sends.some((send) => send.name === file.name && Number(send.offset) >= offset));
  for (const { name, sha256 } of [file, other]) {
    assert.equal((await receiver.stored(name, BASIC)).sha256, sha256);
  }
});

test("a login that is closed before the server answers lets uploads continue", async () => {
  const page = await browser.open(receiver.url);
  await logIn(page);
  await page.getByText("Logged in as joe").waitFor();
  receiver.changePassword("joe", PASSWORD);
  const file = files.make("closed.bin", 1000);
  await page.locator("#files").setInputFiles(file.path);
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Your session has ended").waitFor();
  let asked;
  await page.route("**/login", (route) => (asked = route));
  await dialog.getByLabel("Password").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Log in" }).click();
  await until(() => asked);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await asked.continue();
  await finished(page, file.name).waitFor();
});

test("a login in another tab does not disturb this one", async () => {
  const page = await browser.open(receiver.url);
  await logIn(page);
  await page.getByText("Logged in as joe").waitFor();
  const tab = await page.context().newPage();
  await tab.goto(`${receiver.url}login`);
  await logIn(tab);
  await tab.getByText("Logged in as joe").waitFor();
  const file = files.make("tab.bin", 1000);
  await page.locator("#files").setInputFiles(file.path);
  await finished(page, file.name).waitFor();
  await finished(tab, file.name).waitFor();
});

test("what one user has chosen goes to no other who logs in beside", async () => {
  receiver.addUser("eve", PASSWORD);
  const eve = { Authorization: `Basic ${Buffer.from(`eve:${PASSWORD}`).toString("base64")}` };
  const page = await browser.open(receiver.url);
  await logIn(page);
  await page.getByText("Logged in as joe").waitFor();
  const tab = await page.context().newPage();
  await tab.goto(`${receiver.url}login`);
  await logIn(tab, PASSWORD, "eve");
  await tab.getByText("Logged in as eve").waitFor();
  const file = files.make("joes.bin", 1000);
  await page.locator("#files").setInputFiles(file.path);
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Your session has ended").waitFor();
  assert.deepEqual(await receiver.uploads(eve), []);
  await dialog.getByLabel("Password").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Log in" }).click();
  await finished(page, file.name).waitFor();
  assert.equal((await receiver.stored(file.name, BASIC)).sha256, file.sha256);
  assert.deepEqual(await receiver.uploads(eve), []);
});

test("the login page speaks Chinese, too, and keeps where one wanted to go", async () => {
  const page = await browser.open(`${receiver.url}login?next=/uploads%3Flimit=5`);
  await page.getByRole("link", { name: "中文" }).click();
  await page.getByRole("heading", { name: "登录" }).waitFor();
  await page.getByLabel("用户名").fill("joe");
  await page.getByLabel("密码").fill(PASSWORD);
  await page.getByRole("button", { name: "登录" }).click();
  await page.waitForURL("**/uploads?limit=5");
});
