// The page's texts in its language, and numbers as that language writes them.

const lang = document.documentElement.lang;
const answer = await fetch(new URL(`${lang}.json`, import.meta.url));
const texts = await answer.json();

/** Returns the text of a key, with its {placeholders} filled in. */
export function text(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "").trim();
}

/** Returns a message of the server, which is in English; empty on a page in another language. */
export function served(message) {
  return lang === "en" ? message : "";
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const sizes = UNITS.map((unit) => [0, 1, 2].map((digits) => new Intl.NumberFormat(lang, {
  style: "unit",
  unit,
  unitDisplay: unit === "byte" ? "long" : "short",
  minimumFractionDigits: digits,
  maximumFractionDigits: digits,
})));

/** Writes a number of bytes with three digits. */
export function bytes(count) {
  let unit = 0;
  // 999.5 kB would be rounded to 1,000 kB.
  while (count >= 999.5 && unit < UNITS.length - 1) {
    count /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || count >= 99.95 ? 0 : count >= 9.995 ? 1 : 2;
  return sizes[unit][digits].format(count);
}

const percents = new Intl.NumberFormat(lang, { style: "percent" });

/** Writes a percentage; 100 % only when nothing is left. */
export function percent(part, whole) {
  const share = whole === 0 ? 1 : part / whole;
  return percents.format(Math.floor(share * 100) / 100);
}

const spans = ["second", "minute", "hour", "day"].map((unit) =>
  new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "short" }));

/** Writes a duration, in the largest unit of which it has two. */
export function span(seconds) {
  const steps = [60, 60, 24];
  let unit = 0;
  let count = Math.max(1, Math.ceil(seconds));
  while (unit < steps.length && count >= 2 * steps[unit]) {
    count = Math.ceil(count / steps[unit]);
    unit += 1;
  }
  return spans[unit].format(count);
}

const dates = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });

/** Writes a time that is given in milliseconds. */
export function date(time) {
  return dates.format(time);
}
