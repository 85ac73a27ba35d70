// The uploads that this page was sending when it was left. After a reload it takes the server some seconds to notice that
// nobody sends any more: until then they are not another program's.

const KEY = "resup-own";
/** Milliseconds after which the server has surely noticed. */
const PATIENCE = 60_000;

let left = read();
setTimeout(() => (left = new Set()), PATIENCE);

function read() {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));
  } catch {
    // The browser allows no storage.
    return new Set();
  }
}

/** Remembers the ids that `underWay` returns when the page is left. */
export function remember(underWay) {
  addEventListener("pagehide", () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(underWay()));
    } catch {
      // As above.
    }
  });
}

/** Whether it was this page that sent the upload last. */
export function isOwn(id) {
  return left.has(id);
}

/** Learns what the server says of an upload: what is not active any more is active by another program the next time. */
export function learn({ id, active }) {
  if (!active) left.delete(id);
}
