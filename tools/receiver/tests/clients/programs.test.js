// Uploads by other people's programs. Each is killed in the middle, and run again: it goes on from what the receiver has.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";

import { Link } from "./link.js";
import { Files, Receiver, until } from "./support.js";

const SIZE = 24_000_000;
/** So slow that there is time to kill a program. */
const RATE = 8_000_000;
const PYTHON = process.env.TUSPY_PYTHON;
const JAR = process.env.TUS_JAVA_JARS;

/** Programs, and the arguments behind endpoint, file and state. Without metadata a file gets a name of its own. */
const PROGRAMS = [
  ...["tus-v1", "ietf-draft-03", "ietf-draft-05"].flatMap((protocol) =>
    ["all", "5000000"].map((chunk) => ({
      name: `tus-js-client, ${protocol}, chunk ${chunk}`,
      command: [process.execPath, "tus-js.js"],
      more: [protocol, chunk],
      isNamed: protocol === "tus-v1",
    })),
  ),
  {
    name: "tus-js-client, tus-v1, 4 pieces",
    command: [process.execPath, "tus-js.js"],
    more: ["tus-v1", "all", "4"],
    isNamed: true,
    pieces: 4,
  },
  ...["none", "checksum"].map((checksum) => ({
    name: `tuspy, ${checksum}`,
    command: [PYTHON, "tuspy.py"],
    more: ["2000000", checksum],
    isNamed: true,
    isMissing: !PYTHON && "TUSPY_PYTHON names no Python with tuspy: use `make test-clients`",
  })),
  {
    name: "tus-java-client",
    command: ["java", "-cp", JAR, "TusJava.java"],
    more: [String(SIZE)],
    isNamed: true,
    isMissing: !JAR && "TUS_JAVA_JARS names no tus-java-client: use `make test-clients`",
  },
];

/** How many bytes of unfinished uploads are there. */
const held = (uploads) => uploads.reduce((sum, upload) => sum + upload.offset, 0);

for (const { name, command, more, isNamed, isMissing, pieces = 1 } of PROGRAMS) {
  test(`${name}: killed and run again`, { skip: isMissing, timeout: 120_000 }, async () => {
    const receiver = await Receiver.start("--commit-bytes", "500000");
    const link = await Link.start(receiver, RATE);
    const files = new Files();
    try {
      const file = files.make("文 1.bin", SIZE);
      const args = [...command.slice(1), `${link.url}upload`, file.path, join(files.dir, "state"), ...more];
      const run = () => {
        const child = spawn(command[0], args, { stdio: ["ignore", "pipe", "pipe"] });
        const output = { out: "", err: "" };
        child.stdout.on("data", (text) => (output.out += text));
        child.stderr.on("data", (text) => (output.err += text));
        return { child, output, ended: once(child, "close") };
      };
      const first = run();
      await until(async () => {
        assert.equal(first.child.exitCode, null, first.output.err);
        return held(await receiver.uploads()) > SIZE / 4;
      });
      first.child.kill("SIGKILL");
      assert.deepEqual(await first.ended, [null, "SIGKILL"]);
      await until(async () => !(await receiver.uploads()).some((upload) => upload.active));
      // Only now all is in it that came.
      const partial = await receiver.uploads();
      assert.deepEqual(partial.map((upload) => upload.state), Array(pieces).fill("partial"));
      const second = run();
      const [status] = await second.ended;
      assert.equal(status, 0, second.output.err);
      // A piece that is complete gets no PATCH.
      assert.equal(Number(second.output.out), held(partial.filter((upload) => upload.offset < upload.size)));
      const [stored, ...others] = await receiver.uploads();
      assert.deepEqual([stored.state, others.length], ["complete", 0]);
      // Pieces end with the file that they are joined to.
      assert.equal(stored.id === partial[0].id, pieces === 1);
      assert.equal(stored.name === file.name, isNamed, stored.name);
      assert.equal((await receiver.stored(stored.name)).sha256, file.sha256);
    } finally {
      link.stop();
      await receiver.stop();
      files.remove();
    }
  });
}
