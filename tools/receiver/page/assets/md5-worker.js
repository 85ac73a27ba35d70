// Computes MD5 beside the page: of a file's bytes from `from` to `to`, continuing from the inner
// state after `from`. Posts how far it is, and at the end the digest; both with the state there.

importScripts("spark-md5.min.js");

const CHUNK = 4 << 20;
/** Bytes after which the page gets to know the state. */
const REPORT = 64 << 20;

self.onmessage = async ({ data: { file, state, from, to } }) => {
  try {
    const md5 = new SparkMD5.ArrayBuffer();
    if (state) md5.setState(state);
    let reported = from;
    for (let at = from; at < to;) {
      const end = Math.min(at + CHUNK, to);
      md5.append(await file.slice(at, end).arrayBuffer());
      at = end;
      if (at < to && at - reported >= REPORT) {
        postMessage({ at, state: md5.getState() });
        reported = at;
      }
    }
    const end = md5.getState();
    postMessage({ at: to, state: end, md5: md5.end() });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};
