// Computes digests in a worker: of a file's bytes from `from` to `to`, continuing from the inner state after `from`.
// Posts its progress, and at the end the digest; both with the inner state. A message without a file asks which
// algorithms this browser has.

importScripts("spark-md5.min.js", "hash-wasm-blake3.umd.min.js");

const CHUNK = 4 << 20;
/** How many bytes there are between two posts. */
const REPORT = 64 << 20;

/** The algorithms, the one that the page likes most first. */
const ALGORITHMS = {
  /** It is the fastest one and the safest, but needs WebAssembly. */
  async blake3() {
    const blake3 = await hashwasm.createBLAKE3();
    return {
      begin: (state) => (state ? blake3.load(state) : blake3.init()),
      add: (bytes) => blake3.update(new Uint8Array(bytes)),
      state: () => blake3.save(),
      end: () => blake3.digest(),
    };
  },
  async md5() {
    const md5 = new SparkMD5.ArrayBuffer();
    return {
      begin: (state) => (state ? md5.setState(state) : md5.reset()),
      add: (bytes) => md5.append(bytes),
      state: () => md5.getState(),
      end: () => md5.end(),
    };
  },
};

self.onmessage = async ({ data }) => {
  try {
    postMessage(data.file ? await compute(data) : { names: await available(), last: true });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};

async function available() {
  const works = (make) => make().then(() => true, () => false);
  const names = [];
  for (const [name, make] of Object.entries(ALGORITHMS)) {
    if (await works(make)) names.push(name);
  }
  return names;
}

/** Returns the last post of a computation. */
async function compute({ name, file, state, from, to }) {
  const digest = await ALGORITHMS[name]();
  digest.begin(state);
  let reported = from;
  for (let at = from; at < to;) {
    const end = Math.min(at + CHUNK, to);
    digest.add(await file.slice(at, end).arrayBuffer());
    at = end;
    if (at < to && at - reported >= REPORT) {
      postMessage({ at, state: digest.state() });
      reported = at;
    }
  }
  return { at: to, state: digest.state(), digest: digest.end(), last: true };
}
