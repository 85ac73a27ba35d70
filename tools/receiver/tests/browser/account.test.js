// One's own account, and the admin's view of all.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { Browser, Receiver, until } from "./support.js";

const PASSWORD = "correct horse battery";
const basic = (user, password = PASSWORD) => ({ Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` });

let browser;
let receiver;

before(async () => (browser = await Browser.start()));
after(() => browser.stop());
beforeEach(async () => (receiver = await Receiver.start("--quota", "1000000")));
afterEach(async () => {
  try {
    await browser.closeAll();
  } finally {
    await receiver.stop();
  }
});

async function logIn(page, user) {
  await page.getByLabel("User name").fill(user);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
}

test("one changes the own password, and stays logged in here, but nowhere else", async () => {
  receiver.addUser("joe", PASSWORD);
  const page = await browser.open(receiver.url);
  await logIn(page, "joe");
  const other = await browser.open(receiver.url);
  await logIn(other, "joe");
  await other.getByText("Logged in as joe").waitFor();

  await page.getByRole("button", { name: "Change password" }).click();
  const dialog = page.getByRole("dialog");
  const change = async (old, fresh, again = fresh) => {
    await dialog.getByLabel("Password now").fill(old);
    await dialog.getByLabel("New password (").fill(fresh);
    await dialog.getByLabel("New password once more").fill(again);
    await dialog.getByRole("button", { name: "Change password" }).click();
  };
  const says = (problem) => dialog.getByRole("alert").getByText(problem).waitFor();
  await change(PASSWORD, "another password", "another passwort");
  await says("not the same");
  await change("wrong password", "another password");
  await says("not the password that you have now");
  await change(PASSWORD, "another password");
  await dialog.waitFor({ state: "hidden" });

  // The page goes on with its new login.
  await page.locator("#files").setInputFiles({ name: "after.txt", mimeType: "text/plain", buffer: Buffer.from("after") });
  await page.locator("#finished .row", { hasText: "after.txt" }).waitFor();
  assert.equal((await fetch(`${receiver.url}uploads`, { headers: basic("joe") })).status, 401);
  assert.equal((await receiver.uploads(basic("joe", "another password"))).length, 1);
  await other.getByText("Your session has ended").waitFor();
});

test("an admin sees users, what they have, and what is under way; others do not", async () => {
  receiver.addUser("joe", PASSWORD);
  receiver.addUser("root", PASSWORD, "--admin");
  const page = await browser.open(receiver.url);
  await logIn(page, "joe");
  await page.getByText("Logged in as joe").waitFor();
  assert.equal(await page.getByRole("link", { name: "Administration" }).count(), 0);
  assert.equal((await page.goto(`${receiver.url}admin`)).status(), 403);
  await page.goto(receiver.url);
  await page.locator("#files").setInputFiles({ name: "a.bin", mimeType: "text/plain", buffer: Buffer.alloc(250_000) });
  await page.locator("#finished .row").waitFor();

  const admin = await browser.open(`${receiver.url}admin`);
  await logIn(admin, "root");
  await admin.getByRole("heading", { name: "Administration" }).waitFor();
  const joe = admin.locator("#users tr", { hasText: "joe" });
  await joe.waitFor();
  assert.deepEqual((await joe.locator("td").allTextContents()).slice(0, 4), ["1", "250 kB", "25% of 1.00 MB", "0"]);
  await admin.locator("#users tr", { hasText: "root (admin)" }).waitFor();
  await admin.getByText("Nobody is uploading now").waitFor();

  // A request that has sent half of its file.
  const { id } = await (await fetch(receiver.endpoint, {
    method: "POST",
    headers: basic("joe"),
    body: new URLSearchParams({ action: "locate", name: "<b>.bin", size: 1000, dir: "d" }),
  })).json();
  const stop = new AbortController();
  const fields = { action: "send", id, name: "<b>.bin", size: 1000, dir: "d", offset: 0, length: 1000 };
  const form = Object.entries(fields).map(([name, value]) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join("");
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from(`${form}--x\r\nContent-Disposition: form-data; name="file"; filename="<b>.bin"\r\n\r\nabc`)),
  });
  const sent = fetch(receiver.endpoint, {
    method: "POST",
    headers: { ...basic("joe"), "Content-Type": "multipart/form-data; boundary=x" },
    body,
    duplex: "half",
    signal: stop.signal,
  }).catch(() => {});
  const running = admin.locator("#running tr", { hasText: "d/<b>.bin" });
  await running.waitFor();
  assert.equal(await running.locator("td").first().textContent(), "joe");
  stop.abort();
  await sent;
  await until(async () => (await running.count()) === 0);
});

test("the admin's view asks at one pace, however often its tab is hidden and shown", async () => {
  receiver.addUser("root", PASSWORD, "--admin");
  const admin = await browser.open(`${receiver.url}admin`);
  await logIn(admin, "root");
  await admin.locator("#users tr", { hasText: "root (admin)" }).waitFor();
  let asked = 0;
  admin.on("request", (request) => (asked += request.url().endsWith("/admin/overview") ? 1 : 0));
  const shows = 20;
  await admin.evaluate((shows) => {
    for (let i = 0; i < shows; i++) document.dispatchEvent(new Event("visibilitychange"));
  }, shows);
  await until(() => asked >= shows);
  // As many timers would ask as often again at the next turn.
  await until(() => asked > shows);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(asked < shows + 5, `${asked} requests`);
});
