// The page's requests: the form protocol, the records, the session.

/** An error that waiting may end. `counts`: whether the number of attempts is limited. */
export class Passing extends Error {
  constructor(reason, { status, after = 0, counts = true } = {}) {
    super(reason);
    Object.assign(this, { reason, status, after, counts });
  }
}

/** An error that waiting does not end: the server has refused. */
export class Refused extends Error {
  constructor({ status, json, after }) {
    super(json?.message ?? `status ${status}`);
    Object.assign(this, { status, json, after });
  }
}

/** Nobody is logged in any more. */
export class LoggedOut extends Error {}

/** The server's response does not follow the protocol. */
export class Strange extends Error {}

/** How long a request may make no progress. */
const STALL = 90_000;

const token = document.querySelector('meta[name="csrf-token"]');

/** Asks what the server has of the file that `fields` describe. */
export async function locate(fields, signal) {
  const form = new URLSearchParams({ action: "locate", ...fields, prefix: 1 });
  try {
    return await request("POST", "upload", { body: form, signal });
  } catch (error) {
    // While the server cannot be reached, it is worth waiting for it.
    if (error instanceof Passing && error.reason === "broken") {
      throw new Passing("unreachable", { counts: false });
    }
    throw error;
  }
}

/** Sends or stores `bytes`: after `fields`, and before `tail`, which holds the digests. */
export function send(fields, name, bytes, tail, signal, moved) {
  const form = new FormData();
  const add = (fields) => Object.entries(fields).forEach((field) => form.append(...field));
  add(fields);
  form.append("file", bytes, name);
  add(tail);
  return request("POST", "upload", { body: form, signal, moved });
}

/** Fetches up to `wanted` uploads, from a place on. Returns them, and the place where the list goes on. */
export async function list(options, wanted, after) {
  const uploads = [];
  let next = after;
  do {
    const query = new URLSearchParams({ ...options, limit: Math.min(wanted - uploads.length, 1000) });
    if (next) query.set("after", next);
    const part = await request("GET", `uploads?${query}`);
    uploads.push(...part.uploads);
    next = part.next;
    // A part may have fewer than wanted, although the list goes on.
  } while (next && uploads.length < wanted);
  return { uploads, next };
}

/** Fetches what the user has, and how much more there may be. */
export function account() {
  return request("GET", "account");
}

/** Fetches what all users have and do. */
export function overview() {
  return request("GET", "admin/overview");
}

/** Gives the user another password. All other logins end. */
export async function changePassword(password, fresh) {
  await request("POST", "password", { body: new URLSearchParams({ password, new: fresh }) });
  await renewToken();
}

/** Returns what a form of this page needs. */
export function csrf() {
  return token.content;
}

/** Does something with each of many items, a few at a time. */
export async function each(items, work) {
  const left = [...items];
  const one = async () => {
    while (left.length > 0) await work(left.shift());
  };
  await Promise.all(Array.from({ length: 4 }, one));
}

/** Deletes an upload and what the server has of it. */
export async function remove(id) {
  try {
    await request("DELETE", `uploads/${encodeURIComponent(id)}`);
  } catch (error) {
    // It is deleted already.
    if (!(error instanceof Refused && error.status === 404)) throw error;
  }
}

/** Begins a new session. */
export async function logIn(user, password) {
  const answer = await exchange("POST", "login", { body: new URLSearchParams({ user, password }) });
  if (answer.status >= 300) throw new Refused(answer);
  // The page shows the uploads of the other user.
  if ((await renewToken()) === "other") location.reload();
}

/** The session may be another one by now: whether it is "new", of this page's user, or the "same", or of an "other". */
async function renewToken() {
  const answer = await fetch("./", { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector('meta[name="csrf-token"]')?.content;
  if (fresh === undefined || fresh === token.content) return "same";
  if (userOf(page) !== userOf(document)) return "other";
  token.content = fresh;
  return "new";
}

const userOf = (page) => page.querySelector(".user strong")?.textContent;

/** Makes a request and checks the response. Returns its JSON. */
async function request(method, url, options = {}) {
  const answer = await exchange(method, url, options);
  const { status, json, after } = answer;
  if (status >= 200 && status < 300) {
    if (status !== 204 && (json === null || typeof json !== "object")) throw new Strange();
    return json;
  }
  switch (status) {
    case 401:
      throw new LoggedOut();
    case 403:
      // Another tab has logged in: the cookie is of the new session, the token of the old one.
      switch (options.again || (await renewToken().catch(() => "same"))) {
        case "new":
          return request(method, url, { ...options, again: true });
        case "other":
          throw new LoggedOut();
      }
      throw new Refused(answer);
    case 423:
      throw new Passing("locked", { status, after });
    case 429:
    case 503:
      throw new Passing("busy", { status, after, counts: false });
    case 511:
      throw new Strange();
    case 501:
    case 505:
    case 507:
      throw new Refused(answer);
    default:
      // A 5xx that nobody knows is a 500.
      if (status >= 500 || [408, 421, 425].includes(status)) throw new Passing("failed", { status, after });
      throw new Refused(answer);
  }
}

/** Makes one request, by XMLHttpRequest, since fetch does not report the progress of sending. */
function exchange(method, url, { body = null, signal, moved = () => {} }) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const xhr = new XMLHttpRequest();
    const broken = () => {
      end();
      reject(signal?.aborted ? signal.reason : new Passing("broken"));
    };
    const abort = () => xhr.abort();
    let stall;
    const alive = () => {
      clearTimeout(stall);
      stall = setTimeout(abort, STALL);
    };
    const end = () => {
      clearTimeout(stall);
      signal?.removeEventListener("abort", abort);
    };
    xhr.open(method, url);
    xhr.setRequestHeader("Accept", "application/json");
    if (method !== "GET") xhr.setRequestHeader("X-CSRF-Token", token.content);
    xhr.upload.onprogress = ({ loaded }) => {
      alive();
      moved(loaded);
    };
    xhr.onprogress = alive;
    xhr.onerror = broken;
    xhr.onabort = broken;
    xhr.onload = () => {
      end();
      const seconds = Number(xhr.getResponseHeader("Retry-After"));
      const after = Number.isFinite(seconds) ? seconds * 1000 : 0;
      resolve({ status: xhr.status, json: parse(xhr.responseText), after });
    };
    signal?.addEventListener("abort", abort);
    alive();
    xhr.send(body);
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
