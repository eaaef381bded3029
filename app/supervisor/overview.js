// @ts-check
// All offices at a glance. There is no stream of a whole network, so it is asked for every few seconds.

import { guarded } from "../web/assets/faults.js";
import { banner } from "../web/assets/live.js";
import { heard } from "../web/assets/time.js";
import { inWords, LANGUAGE, say } from "../web/assets/words.js";
import { figure, share } from "./figures.js";
import { byId, element, keep, part, write } from "./rows.js";
import { live, run, setShare, tick } from "./ticking.js";

const PAUSE_MS = 2_500;
const PATIENCE_MS = 5_000;
const MORE = 100;
const AFTER_TYPING_MS = 250;

const search = /** @type {HTMLInputElement} */ (byId("search"));
const more = /** @type {HTMLButtonElement} */ (byId("more"));
const link = banner(say("The server does not answer. This is how it was at {time}."));

const TITLE = document.title;

let limit = MORE;
/** @type {Date | null} */
let lastHeard = null;
/** @type {number | undefined} */
let next;
/** @type {AbortController | undefined} */
let asking;

/** Ask now, and go on asking. */
async function look() {
  clearTimeout(next);
  asking?.abort("another question");
  const mine = (asking = new AbortController());
  try {
    const about = new URLSearchParams({ search: search.value, limit: String(limit) });
    const patience = AbortSignal.any([mine.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const reply = await fetch(`/api/v1/overview?${about}`, { signal: patience, cache: "no-store" });
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    const overview = await reply.json();
    guarded(() => paint(overview));
    lastHeard = new Date();
    hearing(true);
  } catch (error) {
    if (mine.signal.aborted) return;
    console.info("the overview could not be read", error);
    hearing(false);
  }
  next = setTimeout(look, PAUSE_MS);
}

/** @param {boolean} isLive */
function hearing(isLive) {
  live(isLive);
  link(isLive, lastHeard);
}

/** @param {any} overview */
function paint(overview) {
  heard(overview);
  const demo = /** @type {HTMLElement} */ (document.querySelector(".demo"));
  demo.hidden = !overview.demo;
  write(demo, overview.demo ? say("A demonstration: time runs {speed}", { speed: overview.demo }) : "");
  write(byId("over"), figure(overview.over_limit));
  byId("over").classList.toggle("bad", overview.over_limit > 0);
  write(byId("offices-over"), figure(overview.offices_over_limit));
  byId("offices-over").classList.toggle("bad", overview.offices_over_limit > 0);
  write(byId("waiting"), figure(overview.waiting));
  write(byId("offices"), figure(overview.offices_in_all));
  const shown = overview.offices.length;
  const found = search.value.trim() !== "" || shown < overview.matching;
  write(byId("found"), found ? say("Found: {found}, shown: {shown}", { found: overview.matching, shown }) : "");
  more.hidden = shown >= overview.matching;
  const told = Date.parse(overview.server_time);
  keep(byId("rows"), overview.offices, (office) => office.office, row, (row, office) => paintRow(row, office, told));
  document.title = overview.over_limit ? `(${overview.over_limit}) ${TITLE}` : TITLE;
  live(true);
  tick();
}

/** @param {any} office */
function row(office) {
  const address = `/supervisor/${office.office}?lang=${LANGUAGE}`;
  const cell = (/** @type {string} */ label, /** @type {(Node | string)[]} */ ...inside) =>
    element("td", { role: "cell", "data-label": label }, ...inside);
  const span = (/** @type {string} */ name) => element("span", { class: name });
  return element(
    "tr",
    { role: "row" },
    element("th", { role: "rowheader", scope: "row" }, element("a", { class: "name", href: address }), span("day")),
    cell(say("Past the limit"), element("strong", { class: "over" }), span("answered")),
    cell(say("Next limit"), span("next")),
    cell(say("Waiting"), span("waiting")),
    cell(say("Longest wait"), span("longest"), element("span", { class: "bar", "aria-hidden": "true" })),
    cell(say("Counters"), span("counters"), span("idle")),
    cell(say("Kept today"), span("walk-in"), span("booked")),
  );
}

/** @param {HTMLElement} row @param {any} office @param {number} told */
function paintRow(row, office, told) {
  row.className = office.over_limit ? "over-limit" : office.warned ? "near-limit" : "";
  write(part(row, "name"), inWords(office.name));
  write(part(row, "day"), office.day_is_open ? (office.receives ? "" : say("no tickets at this hour")) : say("the day is closed"));
  write(part(row, "over"), figure(office.over_limit));
  const unanswered = Math.max(0, office.over_limit - office.acknowledged);
  write(part(row, "answered"), office.over_limit ? say("unanswered: {number}", { number: unanswered }) : "");
  paintDue(part(row, "next"), office.earliest_due);
  write(part(row, "waiting"), figure(office.waiting));
  paintLongest(part(row, "longest"), office, told);
  setShare(part(row, "bar"), office.waiting ? office.limit_used : null, office.over_limit ? "over" : office.warned ? "near" : "well");
  const { serving, free, paused, idle } = office.counters;
  write(part(row, "counters"), say("serving {serving}, free {free}, paused {paused}", { serving, free, paused }));
  write(part(row, "idle"), idle ? say("free while people wait: {idle}", { idle }) : "");
  write(part(row, "walk-in"), say("walk-in {share}", { share: share(office.kept_today.walk_in) }));
  write(part(row, "booked"), say("booked {share}", { share: share(office.kept_today.booked) }));
}

/** @param {HTMLElement} where @param {string | null} due */
function paintDue(where, due) {
  if (due) where.dataset.due = due;
  else {
    delete where.dataset.due;
    write(where, "–");
  }
}

/** @param {HTMLElement} where @param {any} office @param {number} told */
function paintLongest(where, office, told) {
  if (office.waiting) where.dataset.since = new Date(told - 1000 * office.longest_wait_seconds).toISOString();
  else {
    delete where.dataset.since;
    write(where, "–");
  }
}

search.addEventListener("input", () => {
  clearTimeout(next);
  next = setTimeout(look, AFTER_TYPING_MS);
});
more.addEventListener("click", () => {
  limit = Math.min(limit + MORE, 1000);
  void look();
});
run();
void look();
