// An upload by tus-js-client: tus-js.js ENDPOINT FILE STATE PROTOCOL CHUNK [PIECES]. Its line tells the offset of the first
// PATCH, or the sum of those of all pieces.

import { createReadStream } from "node:fs";
import { basename } from "node:path";

import { FileUrlStorage, Upload } from "tus-js-client";

const [endpoint, path, state, protocol, chunk, pieces = "1"] = process.argv.slice(2);
const first = new Map();

const upload = new Upload(createReadStream(path), {
  endpoint,
  protocol,
  parallelUploads: Number(pieces),
  chunkSize: chunk === "all" ? Infinity : Number(chunk),
  metadata: { filename: basename(path), filetype: "application/x-test" },
  urlStorage: new FileUrlStorage(state),
  fingerprint: async () => path,
  retryDelays: [0, 100, 500, 1000],
  onBeforeRequest(request) {
    const url = request.getURL();
    if (request.getMethod() === "PATCH" && !first.has(url)) first.set(url, Number(request.getHeader("Upload-Offset")));
  },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => console.log([...first.values()].reduce((sum, offset) => sum + offset, 0)),
});

const [previous] = await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
