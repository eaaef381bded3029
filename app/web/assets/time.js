// The server's time. A screen's own clock may be wrong, and a demo's runs faster.

import { LANGUAGE } from "./words.js";

let told = Date.now();
let heardAt = performance.now();
let speed = 1;

/** Set the clock by a snapshot. @param {{server_time: string, demo?: string | null}} snapshot */
export function heard(snapshot) {
  told = Date.parse(snapshot.server_time);
  heardAt = performance.now();
  speed = snapshot.demo ? parseFloat(snapshot.demo) : 1;
}

/** The instant by the server's clock, in milliseconds since 1970. */
export function now() {
  return told + (performance.now() - heardAt) * speed;
}

/** `9:05`: minutes and seconds of a time span. @param {number} ms */
export function minutes(ms) {
  const seconds = Math.max(0, Math.floor(Math.abs(ms) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The time of day in the office. @param {string | number} instant @param {string} zone */
export function clock(instant, zone) {
  return new Date(instant).toLocaleTimeString(LANGUAGE, { hour: "2-digit", minute: "2-digit", timeZone: zone });
}
