// A day's waits as a picture: each ticket a mark, the limits as lines. Walk-in and booked differ in shape.

import { clock, minutes } from "../web/assets/time.js";
import { say } from "../web/assets/words.js";

/**
 * @typedef {object} Wait
 * @property {string} ticket
 * @property {string} number
 * @property {string} service
 * @property {"walk_in" | "booked"} channel
 * @property {string} clock_start
 * @property {number} waited_seconds
 * @property {number} limit_seconds
 * @property {boolean} waits
 * @property {boolean} breached
 */

const HOUR = 3_600_000;
const SVG = "http://www.w3.org/2000/svg";
const AROUND = { top: 26, right: 28, bottom: 30, left: 44 };
const HALF_HOUR = HOUR / 2;
const STEPS = [60, 300, 600, 900, 1800, 3600];

/**
 * Draw into an element, as large as it is.
 * @param {Element} where
 * @param {Wait[]} waits
 * @param {{zone: string, until: number}} day `until` is the present, or the end of what is known
 */
export function draw(where, waits, day) {
  const width = Math.max(260, where.clientWidth);
  const height = Math.round(Math.max(220, Math.min(460, width * 0.45)));
  const scale = scaleOf(waits, day.until, width, height);
  const size = Math.max(3.5, Math.min(9, width / 220));
  const drawn = shape("svg", { viewBox: `0 0 ${width} ${height}`, width: String(width), height: String(height), "aria-hidden": "true" });
  drawn.append(...axes(scale, day.zone, width, height), ...limits(waits, scale, width), ...waits.map((wait) => dot(wait, scale, size)));
  where.replaceChildren(drawn);
}

/** The same in a sentence. @param {Wait[]} waits */
export function inASentence(waits) {
  return [
    say("Walk-in: {waits}", { waits: figures(waits.filter((wait) => wait.channel === "walk_in")) }),
    say("Booked: {waits}", { waits: figures(waits.filter((wait) => wait.channel === "booked")) }),
  ].join(" ");
}

/** @param {Wait[]} waits */
function figures(waits) {
  if (!waits.length) return say("nobody came.");
  return say("visitors {visitors}, past the limit {late}, longest wait {longest}.", {
    visitors: waits.length,
    late: waits.filter((wait) => wait.breached).length,
    longest: minutes(1000 * Math.max(...waits.map((wait) => wait.waited_seconds))),
  });
}

/** @typedef {{x: (ms: number) => number, y: (seconds: number) => number, from: number, to: number, top: number}} Scale */

/** @param {Wait[]} waits @param {number} until @param {number} width @param {number} height @returns {Scale} */
function scaleOf(waits, until, width, height) {
  const starts = waits.map((wait) => Date.parse(wait.clock_start));
  const from = Math.floor(Math.min(until, ...starts) / HALF_HOUR) * HALF_HOUR;
  const to = Math.ceil(Math.max(from + HOUR, until, ...starts) / HALF_HOUR) * HALF_HOUR;
  const top = 1.1 * Math.max(900, ...waits.map((wait) => Math.max(wait.waited_seconds, wait.limit_seconds)));
  const across = (width - AROUND.left - AROUND.right) / (to - from);
  const up = (height - AROUND.top - AROUND.bottom) / top;
  return { x: (ms) => AROUND.left + (ms - from) * across, y: (seconds) => height - AROUND.bottom - seconds * up, from, to, top };
}

/** @param {Scale} scale @param {string} zone @param {number} width @param {number} height */
function axes(scale, zone, width, height) {
  const marks = [];
  const step = STEPS.find((each) => scale.top / each <= 7) ?? 7200;
  for (let seconds = 0; seconds <= scale.top; seconds += step) {
    const y = String(scale.y(seconds));
    marks.push(shape("line", { class: "grid", x1: String(AROUND.left), x2: String(width - AROUND.right), y1: y, y2: y }));
    marks.push(text(String(seconds / 60), { class: "tick", x: String(AROUND.left - 8), y, "text-anchor": "end", "dominant-baseline": "middle" }));
  }
  marks.push(text(say("minutes"), { class: "tick", x: "4", y: "14" }));
  const halfHours = Math.ceil((scale.to - scale.from) / HALF_HOUR / Math.max(2, Math.floor(width / 110)));
  for (let at = scale.from; at <= scale.to; at += halfHours * HALF_HOUR) {
    marks.push(text(clock(at, zone), { class: "tick", x: String(scale.x(at)), y: String(height - 8), "text-anchor": "middle" }));
  }
  return marks;
}

/** A line for each limit that was promised this day. @param {Wait[]} waits @param {Scale} scale @param {number} width */
function limits(waits, scale, width) {
  return [...new Set(waits.map((wait) => wait.limit_seconds))].flatMap((limit) => {
    const y = String(scale.y(limit));
    const label = { class: "limit-said", x: String(width - AROUND.right), y: String(scale.y(limit) - 5), "text-anchor": "end" };
    return [
      shape("line", { class: "limit", x1: String(AROUND.left), x2: String(width - AROUND.right), y1: y, y2: y }),
      text(say("limit {minutes}", { minutes: Math.round(limit / 6) / 10 }), label),
    ];
  });
}

/** @param {Wait} wait @param {Scale} scale @param {number} usual */
function dot(wait, scale, usual) {
  const x = scale.x(Date.parse(wait.clock_start));
  const y = scale.y(wait.waited_seconds);
  const size = wait.breached ? usual * 1.3 : usual;
  const names = ["dot", wait.channel, wait.waits ? "waits" : "", wait.breached ? "breached" : ""].join(" ").trim();
  const made =
    wait.channel === "booked"
      ? shape("path", { class: names, d: `M${x} ${y - size * 1.3}l${size * 1.3} ${size * 1.3}l${-size * 1.3} ${size * 1.3}l${-size * 1.3} ${-size * 1.3}z` })
      : shape("circle", { class: names, cx: String(x), cy: String(y), r: String(size) });
  const said = document.createElementNS(SVG, "title");
  said.textContent = `${wait.number} · ${minutes(wait.waited_seconds * 1000)}`;
  made.append(said);
  return made;
}

/** @param {string} name @param {Record<string, string>} attributes */
function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

/** @param {string} words @param {Record<string, string>} attributes */
function text(words, attributes) {
  const made = shape("text", attributes);
  made.textContent = words;
  return made;
}
