// Uploads in parts, several at a time, in a real browser and over slow links.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  assertStored,
  browser,
  button,
  chooseAgain,
  damageTwice,
  files,
  finished,
  onSends,
  open,
  receiver,
  restartReceiver,
  state,
  unfinished,
  uploading,
} from "./fixture.js";
import { Link } from "./link.js";
import { until } from "./support.js";

/** What one connection of the slow link carries in a second. */
const RATE = 2_000_000;
/** Large enough that it is there only after some seconds. */
const SIZE = 12_000_000;
/** How many sends the page has under way at most, of all uploads. */
const MOST = 4;

/** The page behind a link with slow connections. */
async function openSlowly(t, rate = RATE) {
  const link = await Link.start(receiver, rate);
  t.after(() => link.stop());
  return { link, page: await browser.open(link.url) };
}

/** Chooses a file, and waits until several parts of it are under way and the server holds bytes behind a gap. */
async function begin(page, file) {
  await page.locator("#files").setInputFiles(file.path);
  await until(async () => {
    const [upload] = await receiver.uploads();
    return page.most > 1 && upload?.held > upload?.offset;
  });
}

const span = ({ offset, length }) => [Number(offset), Number(offset) + Number(length)];

/** Checks that no byte was sent again that an answer had confirmed, and returns how many were sent. */
function assertOnlyGaps({ log }) {
  const had = [];
  let total = 0;
  for (const { sent, answer } of log) {
    if (answer) had.push([0, answer.offset], ...(answer.ranges ?? []).map(({ from, to }) => [from, to]));
    if (!sent) continue;
    const [from, to] = span(sent);
    total += to - from;
    assert.deepEqual(had.filter(([begin, end]) => from < end && begin < to), [], `${from} to ${to}`);
  }
  return total;
}

/** Notes each value that the progress of the first upload has. */
function noteProgress(page) {
  return page.evaluate(() => {
    globalThis.shown = [];
    const note = () => {
      const bar = document.querySelector("#uploading progress");
      if (bar) globalThis.shown.push(bar.value);
    };
    new MutationObserver(note).observe(document.body, { subtree: true, attributes: true, childList: true });
  });
}

/** Checks that it has moved, and never back. */
async function assertProgress(page) {
  const shown = await page.evaluate(() => globalThis.shown);
  assert.ok(new Set(shown).size > 3, `${shown}`);
  assert.deepEqual(shown, [...shown].sort((a, b) => a - b));
}

describe("parts", () => {
  test("are sent at a time where each connection is slow, each byte once, and the digest at the end", async (t) => {
    const { page } = await openSlowly(t);
    const file = files.make("parts.bin", SIZE);
    await noteProgress(page);
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assert.ok(page.most > 1 && page.most <= MOST, `${page.most} at a time`);
    const last = page.sends.pop();
    assert.deepEqual(span(last), [file.content.length, file.content.length]);
    assert.match(last.blake3, /^[0-9a-f]{64}$/);
    assert.equal(last.part, undefined);
    const spans = page.sends.map(span).sort(([a], [b]) => a - b);
    assert.equal(spans.reduce((end, [from, to]) => (assert.equal(from, end), to), 0), file.content.length);
    const runs = new Set(page.sends.map(({ part }) => part));
    assert.equal(runs.size, 1);
    assert.match([...runs][0], /^[0-9a-f]{32}$/);
    await assertProgress(page);
  });

  test("leave connections free, however many files there are", async (t) => {
    const { page } = await openSlowly(t);
    const some = [1, 2, 3].map((n) => files.make(`several-${n}.bin`, SIZE / 2));
    await page.locator("#files").setInputFiles(some[0].path);
    await until(() => page.most > 1);
    await page.locator("#files").setInputFiles(some.slice(1).map(({ path }) => path));
    for (const file of some) await finished(page, file.name).waitFor();
    for (const file of some) await assertStored(file);
    assert.ok(page.most <= MOST, `${page.most} at a time`);
  });

  test("are as many as the server takes", async (t) => {
    await restartReceiver("--parts", "2");
    const { page } = await openSlowly(t);
    const file = files.make("two.bin", SIZE);
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assert.equal(page.most, 2);
  });

  test("are not sent to a server that takes none", async (t) => {
    await restartReceiver("--parts", "1");
    const { page } = await openSlowly(t, 2 * RATE);
    const file = files.make("none.bin", SIZE);
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assert.deepEqual([page.most, page.sends.filter(({ part }) => part)], [1, []]);
  });

  test("continue with the gaps when one connection breaks", async (t) => {
    const { link, page } = await openSlowly(t);
    const file = files.make("one.bin", SIZE);
    await begin(page, file);
    await until(() => link.cut());
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assertOnlyGaps(page);
  });

  test("continue with the gaps when all connections break", async (t) => {
    const { link, page } = await openSlowly(t);
    const file = files.make("all.bin", SIZE);
    await noteProgress(page);
    await begin(page, file);
    link.down();
    await state(page, file.name, "retrying");
    link.up = true;
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assert.ok(assertOnlyGaps(page) > SIZE);
    await assertProgress(page);
  });

  test("continue with the gaps after the receiver was killed", async (t) => {
    const { page } = await openSlowly(t);
    const file = files.make("killed.bin", SIZE);
    await begin(page, file);
    await receiver.kill();
    await state(page, file.name, "retrying");
    await receiver.restart();
    await button(page, "Try now", file).click({ timeout: 2000 }).catch(() => {});
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assertOnlyGaps(page);
  });

  test("pause all at once, and resume with the gaps", async (t) => {
    const { page } = await openSlowly(t);
    const file = files.make("pause.bin", SIZE);
    await begin(page, file);
    await button(page, "Pause", file).click();
    await state(page, file.name, "paused");
    await until(async () => !(await receiver.uploads())[0].active);
    const { length } = page.sends;
    await button(page, "Resume", file).click();
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assert.ok(page.sends.length > length);
    assertOnlyGaps(page);
  });

  test("of an upload that is cancelled are gone from the server too", async (t) => {
    const { page } = await openSlowly(t);
    const file = files.make("cancel.bin", SIZE);
    await begin(page, file);
    await button(page, "Cancel", file).click();
    await page.getByRole("button", { name: "Cancel the upload" }).click();
    await uploading(page, file.name).waitFor({ state: "detached" });
    assert.deepEqual(await receiver.uploads(), []);
  });

  test("are compared after a reload, and not sent again", async (t) => {
    const { link, page } = await openSlowly(t);
    const file = files.make("reload.bin", SIZE);
    await begin(page, file);
    // What the network still holds must not close the gap.
    await until(async () => {
      const [{ held, offset }] = await receiver.uploads();
      const first = page.sends.map(span).find(([from, to]) => from <= offset && offset < to);
      return held > offset && first?.[1] - offset > 500_000;
    });
    link.down();
    await state(page, file.name, "retrying");
    const [{ held, offset }] = await receiver.uploads();
    assert.ok(held > offset, "there is no gap");
    page.once("dialog", (dialog) => dialog.accept());
    link.up = true;
    await page.reload();
    await until(async () => !(await receiver.uploads())[0].active);
    const row = unfinished(page, file.name);
    await row.waitFor();
    // What lies behind gaps counts.
    assert.ok((await row.locator("progress").evaluate(({ value }) => value)) >= held / SIZE);
    await chooseAgain(page, file);
    await finished(page, file.name).waitFor();
    await assertStored(file);
    assertOnlyGaps(page);
    assert.equal(new Set(page.sends.map(({ part }) => part).filter(Boolean)).size, 2);
  });

  test("that are not the file's are replaced", async (t) => {
    const { page } = await openSlowly(t, 2 * RATE);
    const file = files.make("lie.bin", SIZE);
    await page.route("**/upload", async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      const ranges = [{ from: 9_000_000, to: 10_000_000, blake3: "0".repeat(64) }];
      await route.fulfill({ response, json: { ...json, ranges } });
    }, { times: 1 });
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    await assertStored(file);
    const [first] = page.sends;
    assert.deepEqual([first.offset, first.part], ["0", undefined]);
    const sent = page.sends.map(span).filter(([from, to]) => from < 10_000_000 && 9_000_000 < to);
    assert.ok(sent.length > 0);
  });

  test("make an answer unusable that cannot be", async () => {
    const page = await open();
    const wrong = [
      [{ from: 5, to: 9 }, { from: 8, to: 10 }],
      [{ from: 5, to: 5 }],
      [{ from: SIZE - 1, to: SIZE + 1 }],
      [null],
      "5-9",
    ];
    for (const [n, ranges] of wrong.entries()) {
      const file = files.make(`strange-${n}.bin`, SIZE);
      await page.route("**/upload", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), ranges } });
      });
      await page.locator("#files").setInputFiles(file.path);
      await state(page, file.name, "failed");
      await page.unroute("**/upload");
    }
    assert.deepEqual(page.sends, []);
  });

  test("count only when the answer shows them", async (t) => {
    const { page } = await openSlowly(t);
    const file = files.make("unseen.bin", SIZE / 2);
    await onSends(page, 1, async (route) => {
      const [{ id }] = await receiver.uploads();
      await route.fulfill({ json: { state: "partial", offset: 0, id, digest: "blake3", parts: 6 } });
    });
    await page.locator("#files").setInputFiles(file.path);
    await finished(page, file.name).waitFor();
    await assertStored(file);
    const [first, second] = page.sends;
    assert.deepEqual(span(second), span(first));
    assertOnlyGaps(page);
  });

  for (const status of [413, 429, 503]) {
    test(`become fewer when a server answers ${status}`, async (t) => {
      const { page } = await openSlowly(t);
      const file = files.make("fewer.bin", SIZE / 2);
      let underWay = 0;
      await page.route("**/upload", async (route) => {
        const request = route.request();
        if (!request.headers()["content-type"].startsWith("multipart/")) return route.continue();
        underWay += 1;
        if (underWay > 1) await route.fulfill({ status, headers: { "Retry-After": "0" }, json: {} });
        else await route.continue();
        await request.response().catch(() => {});
        underWay -= 1;
      });
      await page.locator("#files").setInputFiles(file.path);
      await finished(page, file.name).waitFor();
      await assertStored(file);
      assertOnlyGaps(page);
      assert.equal(page.most, 2);
    });
  }

  test("whose bytes were changed on the way are sent again, but not for ever", async (t) => {
    const { page } = await openSlowly(t);
    const file = files.make("damaged.bin", SIZE);
    await damageTwice(page, file);
    await button(page, "Try again", file).click();
    await finished(page, file.name).waitFor();
    await assertStored(file);
  });
});

test("the number of connections follows what they bring", async () => {
  const page = await browser.open(receiver.url);
  const grow = (each, all) => page.evaluate(async ([each, all]) => {
    const { Ramp } = await import(new URL("assets/ramp.js", document.baseURI));
    const ramp = new Ramp();
    ramp.limit(4);
    const slots = [];
    let now = performance.now();
    for (let round = 0; round < 40; round += 1) {
      const count = ramp.slots;
      const rate = Math.min(each, all / count);
      for (let part = 0; part < count; part += 1) ramp.note(rate * 1000, now, Infinity, now + 1000);
      now += 1000;
      slots.push(ramp.slots);
    }
    return slots;
  }, [each, all]);
  // Each connection is slow; in bytes per millisecond.
  assert.deepEqual((await grow(160, 1e9)).slice(0, 4), [2, 4, 4, 4]);
  // Two fill the link.
  const two = await grow(1000, 2000);
  assert.deepEqual([two[0], two[1], two[3]], [2, 4, 2]);
  // One fills it: more are tried seldom.
  const one = await grow(3000, 3000);
  assert.equal(Math.max(...one), 2);
  assert.ok(one.filter((slots) => slots === 1).length > 25, `${one}`);
  // One is fast.
  assert.deepEqual(new Set(await grow(9000, 1e9)), new Set([1]));
});
