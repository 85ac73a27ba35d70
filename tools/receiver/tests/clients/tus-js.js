// An upload by tus-js-client: tus-js.js ENDPOINT FILE STATE PROTOCOL CHUNK. Its line tells the offset of its first PATCH.

import { createReadStream } from "node:fs";
import { basename } from "node:path";

import { FileUrlStorage, Upload } from "tus-js-client";

const [endpoint, path, state, protocol, chunk] = process.argv.slice(2);
let first;

const upload = new Upload(createReadStream(path), {
  endpoint,
  protocol,
  chunkSize: chunk === "all" ? Infinity : Number(chunk),
  metadata: { filename: basename(path), filetype: "application/x-test" },
  urlStorage: new FileUrlStorage(state),
  fingerprint: async () => path,
  retryDelays: [0, 100, 500, 1000],
  onBeforeRequest(request) {
    if (request.getMethod() === "PATCH") first ??= Number(request.getHeader("Upload-Offset"));
  },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => console.log(first),
});

const [previous] = await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
