// Figures as people read them.

import { LANGUAGE } from "../web/assets/words.js";

/**
 * The share of promises kept, never made prettier by rounding: 100 % is said only of all.
 * @param {{met: number, breached: number}} kept
 */
export function share(kept) {
  const all = kept.met + kept.breached;
  if (!all) return "–";
  const tenths = Math.floor((1000 * kept.met) / all) / 1000;
  return tenths.toLocaleString(LANGUAGE, { style: "percent", maximumFractionDigits: 1 });
}

/** A number in the page's language. @param {number} number */
export function figure(number) {
  return number.toLocaleString(LANGUAGE);
}
