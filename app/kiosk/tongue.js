// The language of whoever stands before the kiosk. It changes without the server, which may be away.

import { SETUP } from "./setup.js";

const USUAL = document.documentElement.lang;
let language = USUAL;

/** The language now. */
export function spoken() {
  return language;
}

/** Speak another language; none: the kiosk's own. @param {string} [other] */
export function speak(other = USUAL) {
  language = other;
  document.documentElement.lang = other;
}

/** A sentence of ours; `{name}` in it stands for a value. @param {string} english @param {Record<string, string | number>} [values] */
export function say(english, values = {}) {
  const sentence = SETUP.words[language]?.[english] ?? english;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** A text of the office. @param {Record<string, string>} words */
export function inWords(words) {
  return words[language] ?? Object.values(words)[0] ?? "";
}

/** `14:32`, as the clocks of the office show it. @param {number} instant */
export function timeOf(instant) {
  return new Date(instant).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: SETUP.zone });
}

/** The day and time, as it is printed. @param {number} instant */
export function momentOf(instant) {
  return new Date(instant).toLocaleString(language, { dateStyle: "long", timeStyle: "short", hourCycle: "h23", timeZone: SETUP.zone });
}

/** `2026-11-27`, as the calendar of the office has it. @param {number} instant */
export function dayOf(instant) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: SETUP.zone }).format(new Date(instant));
}
