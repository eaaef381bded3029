// Times that run: what is left until a limit, how long something lasts, how much of a limit is used up.

import { minutes, now } from "../web/assets/time.js";
import { say } from "../web/assets/words.js";
import { write } from "./rows.js";

/** How much of a limit a bar has room for: beyond it the figure beside it speaks. */
const ROOM = 1.5;
const PAUSE_MS = 250;

let standsStill = false;

/** Have the times of the page run. */
export function run() {
  setInterval(tick, PAUSE_MS);
}

/** Stop the times while nothing is heard, or let them go on: what is not live must not look as if it were. @param {boolean} isLive */
export function live(isLive) {
  standsStill = !isLive;
}

/** Show every time as it is now. */
export function tick() {
  if (standsStill) return;
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-due]"))) {
    write(each, untilOrPast(Date.parse(each.dataset.due ?? "") - now()));
  }
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-since]"))) {
    write(each, minutes(Math.max(0, now() - Date.parse(each.dataset.since ?? ""))));
  }
  for (const bar of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".bar[data-ends]"))) fill(bar);
}

/** What is said of a limit that is so far away. @param {number} left */
export function untilOrPast(left) {
  return left > 0 ? say("in {time}", { time: minutes(left) }) : say("passed {time} ago", { time: minutes(left) });
}

/**
 * Set a bar: somebody's wait against their limit.
 * @param {HTMLElement} bar
 * @param {{due: number, limit: number, warning: number} | null} wait in milliseconds; null is nobody
 */
export function setBar(bar, wait) {
  bar.hidden = wait === null;
  if (wait === null) {
    delete bar.dataset.ends;
    return;
  }
  bar.dataset.ends = String(wait.due);
  bar.dataset.limit = String(wait.limit);
  bar.dataset.warning = String(wait.warning);
  bar.style.setProperty("--warning", `${(100 * wait.warning) / wait.limit / ROOM}%`);
  bar.style.setProperty("--limit", `${100 / ROOM}%`);
  fill(bar);
}

/**
 * Set a bar that does not run by itself.
 * @param {HTMLElement} bar
 * @param {number | null} share how much of the limit is used up
 * @param {string} level
 */
export function setShare(bar, share, level) {
  bar.hidden = share === null;
  bar.style.setProperty("--limit", `${100 / ROOM}%`);
  bar.style.setProperty("--fill", `${Math.min(100, (100 * (share ?? 0)) / ROOM)}%`);
  bar.dataset.level = level;
}

/** @param {HTMLElement} bar */
function fill(bar) {
  const limit = Number(bar.dataset.limit);
  const waited = limit - (Number(bar.dataset.ends) - now());
  bar.style.setProperty("--fill", `${Math.max(0, Math.min(100, (100 * waited) / limit / ROOM))}%`);
  bar.dataset.level = waited >= limit ? "over" : waited >= Number(bar.dataset.warning) ? "near" : "well";
}
