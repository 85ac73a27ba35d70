// The list of the finished files: pages, search, order, folders, links, several at once; and pasted pictures.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";

import { browser, button, files, finished, onSends, open, receiver, restartReceiver, state } from "./fixture.js";
import { until } from "./support.js";

const names = (page) => page.locator("#finished .row .name").allTextContents();
const shows = (page, wanted) => until(async () => JSON.stringify(await names(page)) === JSON.stringify(wanted));

/** Files of these paths, whose sizes are 1, 2, 3 and so on. */
async function make(...paths) {
  for (const [index, path] of paths.entries()) {
    const parts = path.split("/");
    await receiver.elsewhere(parts.at(-1), Buffer.alloc(index + 1, path), index + 1, { dir: parts.slice(0, -1).join("/") });
  }
}

describe("the list on the server", () => {
  test("has pages, which one goes through and which become fewer", async () => {
    await make(...Array.from({ length: 103 }, (_, n) => `${n}.txt`));
    const page = await open();
    await page.locator("#finished .row").nth(99).waitFor();
    assert.equal(await page.locator("#finished .row").count(), 100);
    const turn = (name) => page.getByRole("button", { name, exact: true });
    assert.ok(await turn("Previous page").isDisabled());
    await turn("Next page").click();
    await shows(page, ["2.txt", "1.txt", "0.txt"]);
    await page.getByText("Page 2").waitFor();
    assert.equal(await page.locator(":focus").textContent(), "Previous page");
    for (const { id, name } of await receiver.uploads()) {
      if (["0.txt", "1.txt", "2.txt"].includes(name)) await fetch(`${receiver.url}uploads/${id}`, { method: "DELETE" });
    }
    await page.getByText("Page 1").waitFor({ state: "attached" });
    await page.locator("#finished .pages").waitFor({ state: "hidden" });
    assert.equal(await page.locator("#finished .row").count(), 100);
  });

  test("is searched and ordered", async () => {
    await make("Holiday 1.JPG", "holiday 2.png", "report.pdf");
    const page = await open();
    await shows(page, ["report.pdf", "holiday 2.png", "Holiday 1.JPG"]);
    await page.getByLabel("Order").selectOption("By name");
    await shows(page, ["Holiday 1.JPG", "holiday 2.png", "report.pdf"]);
    await page.getByLabel("Order").selectOption("Largest first");
    await shows(page, ["report.pdf", "holiday 2.png", "Holiday 1.JPG"]);
    await page.getByLabel("Search").fill("holi jpg");
    await shows(page, ["Holiday 1.JPG"]);
    await page.getByRole("status").getByText("1 files on this page").waitFor({ state: "attached" });
    await page.getByLabel("Search").fill("nothing");
    await page.getByText("No file here matches").waitFor();
    assert.equal(await page.getByText("Nothing here yet").isVisible(), false);
  });

  test("is opened by folders, which are offered for uploads, too", async () => {
    await make("top.txt", "photos/2026/a.jpg", "photos/b.jpg", "work/c.txt");
    const page = await open();
    const folders = page.getByRole("navigation", { name: "Folders" });
    await folders.getByRole("button", { name: "photos" }).click();
    await shows(page, ["photos/b.jpg"]);
    assert.equal(await page.locator("#target").inputValue(), "photos");
    await folders.getByRole("button", { name: "2026" }).press("Enter");
    await shows(page, ["photos/2026/a.jpg"]);
    const { path } = files.make("new.jpg", 10);
    await page.locator("#files").setInputFiles(path);
    await finished(page, "photos/2026/new.jpg").waitFor();
    await folders.getByRole("button", { name: "All files" }).click();
    await page.locator("#finished .row").nth(4).waitFor();
    assert.equal(await page.locator("#target").inputValue(), "");
    const offered = await page.locator("#folder-names option").evaluateAll((all) => all.map((option) => option.value));
    assert.deepEqual(offered, ["photos", "photos/2026", "work"]);
  });

  test("shows what kind a file is, and copies its link", async () => {
    await make("a.jpg", "b.xyz");
    const page = await open();
    const kind = (name) => finished(page, name).locator("use").getAttribute("href");
    await finished(page, "a.jpg").waitFor();
    assert.match(await kind("a.jpg"), /#image$/);
    assert.match(await kind("b.xyz"), /#file$/);
    assert.ok((await finished(page, "a.jpg").locator("use").boundingBox()).width > 5);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await button(page, "Copy link", { name: "a.jpg" }).click();
    await page.getByRole("status").getByText("is copied").waitFor({ state: "attached" });
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(await (await fetch(link)).text(), "a");
  });

  test("tells how much room is left", async () => {
    const page = await open();
    await page.getByText("are free on the server").waitFor();
    await restartReceiver("--quota", "1000000");
    await receiver.elsewhere("a", Buffer.alloc(250_000));
    const limited = await browser.open(receiver.url);
    await limited.getByText("750 kB of your 1.00 MB are left").waitFor();
  });
});

describe("several files", () => {
  test("are downloaded as one zip file, each under a name of its own", async () => {
    await make("a.txt", "文/b.txt", "c.txt", "A.TXT");
    const page = await open();
    await page.getByLabel("Select: c.txt").waitFor();
    await page.getByLabel("Select all on this page").check();
    await page.getByLabel("Select: c.txt").uncheck();
    await page.getByText("3 files selected").waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download as a zip file" }).click();
    const archive = join(files.dir, "all.zip");
    await (await download).saveAs(archive);
    const script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(*sorted(z.namelist()), sep='\\n')";
    const listed = execFileSync("python3", ["-X", "utf8", "-c", script, archive], { encoding: "utf8" });
    assert.deepEqual(listed.trim().split("\n").sort(), ["A.TXT", "a (2).txt", "文/b.txt"].sort());
    assert.equal(new URL(page.url()).pathname, "/");
  });

  test("that cannot be downloaded are told of", async () => {
    await make("a.txt");
    const page = await open();
    await page.getByLabel("Select: a.txt").check();
    await page.route("**/zip", (route) => route.fulfill({ status: 404, json: {} }));
    await page.getByRole("button", { name: "Download as a zip file" }).click();
    await page.getByRole("status").getByText("could not be made").waitFor({ state: "attached" });
  });

  test("are deleted after a question; what cannot be stays selected", async () => {
    await make("a.txt", "b.txt", "c.txt");
    const page = await open();
    for (const name of ["a.txt", "b.txt"]) await page.getByLabel(`Select: ${name}`).check();
    const [{ id }] = (await receiver.uploads()).filter((upload) => upload.name === "a.txt");
    await page.route(`**/uploads/${id}`, (route) => route.fulfill({ status: 423, json: {} }));
    const remove = page.getByRole("button", { name: "Delete selected" });
    await remove.click();
    await page.keyboard.press("Escape");
    assert.equal((await receiver.uploads()).length, 3);
    await remove.click();
    await page.getByRole("heading", { name: "Delete 2 files?" }).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await shows(page, ["c.txt", "a.txt"]);
    await page.getByText("1 file selected").waitFor();
    assert.ok(await page.getByLabel("Select: a.txt").isChecked());
    assert.equal(await page.locator(":focus").textContent(), "On the server");
    await page.getByRole("button", { name: "Clear the selection" }).click();
    await page.locator("#selection").waitFor({ state: "hidden" });
  });
});

describe("a picture", () => {
  test("that is pasted goes up under a name of its own", async () => {
    const page = await open();
    await onSends(page, 0, () => {});
    await page.evaluate(() => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(["picture"], "image.png", { type: "image/png" }));
      document.body.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, clipboardData }));
    });
    await page.locator("#uploading .row").waitFor();
    const [{ name }] = await until(async () => {
      const uploads = await receiver.uploads();
      return uploads[0]?.state === "complete" && uploads;
    });
    assert.match(name, /^Picture \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/);
    await state(page, name, "complete");
  });
});
