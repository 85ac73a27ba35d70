// What page and server agree on: docs/PROTOCOL.md, "Digests by agreement".

import { Ranges } from "./ranges.js";

/** What the last answer has told about the server, for all uploads of this page. */
export const learned = {
  /** The digest that it uses; null before the first answer. */
  digest: null,
  /** The size of the largest file that may be stored in one request; 0 if none may be. */
  small: 0,
  /** Whether it has refused such a request. */
  refused: false,
};

/** Reads what an answer of version 1.1 adds; `names` are the digests that were offered. Returns null if it cannot be. */
export function read(answer, names, size) {
  const { digest, offset } = answer;
  // Without an agreed digest these members may mean something else.
  if (!names.includes(digest)) return { digest: null, parts: 0, small: 0, ranges: [] };
  const parts = answer.parts ?? 0;
  const small = answer.small ?? 0;
  const ranges = [];
  if (![parts, small].every(isCount) || !Array.isArray(answer.ranges ?? [])) return null;
  let end = offset;
  for (const range of answer.ranges ?? []) {
    const { from, to, [digest]: value } = range ?? {};
    if (!isCount(from) || !isCount(to) || from < end || to <= from || to > size) return null;
    ranges.push({ from, to, value });
    end = to;
  }
  // Without parts, ranges are of no use.
  return { digest, parts, small, ranges: parts < 2 ? [] : ranges };
}

/** Whether a server that holds the first `offset` bytes and these ranges holds the bytes from `from` to `to`. */
export function shows(offset, ranges, { from, to }) {
  const held = new Ranges();
  held.insert(0, offset);
  for (const range of ranges) held.insert(range.from, range.to);
  return held.contains(from, to);
}

const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
