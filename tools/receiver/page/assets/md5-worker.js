// Computes MD5 in a worker: of a file's bytes from `from` to `to`, continuing from the inner state
// after `from`. Posts its progress, and at the end the digest; both with the inner state.

importScripts("spark-md5.min.js");

const CHUNK = 4 << 20;
/** How many bytes there are between two posts. */
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
