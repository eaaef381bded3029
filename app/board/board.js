// @ts-check
// The board: paints the hall's latest calls, speaks each of them, and tells the server that it did.

import { Problem, tell } from "../web/assets/ask.js";
import { listen } from "../web/assets/live.js";
import { clock, heard, now } from "../web/assets/time.js";
import { LANGUAGE, inWords, say } from "../web/assets/words.js";
import { awaited, byNumber, identity, latestOfEach, namesOf, pagesOf } from "./called.js";
import { isOnGlass } from "./glass.js";
import { Speaker } from "./speaker.js";
import { announcement, brief, briefest, numberIn, vocabulary } from "./wording.js";

/**
 * @typedef {Record<string, string>} Words
 * @typedef {{seq: number, at: string, ticket: string, number: string, counter: string, again: boolean, missed: boolean}} Call
 * @typedef {{ticket: string, number: string, state: string, called_at: string | null, recalls: number, shown_at: string | null,
 *   spoken_at: string | null}} Visitor
 * @typedef {{id: string, name: Words, services: string[], visitor: Visitor | null}} Counter
 * @typedef {"walk_in" | "booked"} Channel
 * @typedef {{id: string, letter: string, name: Words, closed_because: string | null, limit_seconds: Record<Channel, number>,
 *   waiting: number, longest_wait_seconds: number}} Service
 * @typedef {{seq: number, server_time: string, demo: string | null, day: string | null, day_is_open: boolean, receives: boolean,
 *   services: Service[], counters: Counter[], calls: Call[], kept_today: Record<Channel, {met: number, breached: number}>}} Snapshot
 */

const CLIPS = new URL("voices/", import.meta.url).href;
const PAGE_SECONDS = 10;
const RETRY_MS = 5_000;
const MOST_DELAY_S = 3_600;
const FLASH = "flash";

const main = element("main");
const { office = "", zone = "UTC", board = "", counters = "", voices = "", pace = "1" } = main.dataset;
const address = `/api/v1/offices/${office}`;
const counterIds = counters ? counters.split(",") : null;
const languages = voices ? voices.split(",") : [];
const memory = `board ${office} ${board} ${counters}`;
const motion = matchMedia("(prefers-reduced-motion: no-preference)");

const latest = element(".latest");
const earlier = element(".earlier");
const missed = element(".missed");
const lines = element(".lines ul");
const sound = element(".sound");
const turns = element(".turns");

/** @type {Snapshot | null} */
let snapshot = null;
let isLive = false;
/** The server's time when the hall was last as painted. */
let readAt = 0;
/** The last call that was put to the speaker. @type {number | null} */
let toldTo = null;
/** Calls made while this page was there. @type {Set<number>} */
const fresh = new Set();
/** What the server is to be told, and may not have heard yet. @type {Map<string, {call: Call, how: "shown" | "spoken", delay_seconds?: number}>} */
const untold = new Map();
/** Calls that were on the glass. @type {Set<string>} */
const shown = new Set();
let isTelling = false;
let isPaintAsked = false;
let flashed = 0;
let flashesAgain = false;
/** How often the pages were turned. */
let turn = 0;

/** How many seconds after a call it began to be spoken. @type {Map<number, number>} */
const begunAfter = new Map();

/** @type {Speaker<Call>} */
const speaker = new Speaker(element(".voice"), CLIPS, Number(pace), {
  begun(call) {
    begunAfter.set(call.seq, Math.min(MOST_DELAY_S, Math.max(0, now() - Date.parse(call.at)) / 1_000));
    paintSoon();
  },
  isOver: (call) => !isCalled(call) || counterOf(call)?.visitor?.called_at !== call.at,
  done(call, isWhole) {
    remember(call.seq);
    if (isWhole) acknowledge(call, "spoken");
    begunAfter.delete(call.seq);
    paintSoon();
  },
  blocked(isBlocked) {
    if (sound.hidden === !isBlocked) return;
    sound.hidden = !isBlocked;
    paintSoon();
  },
});

listen(`${address}/stream`, {
  state(data) {
    const isFirst = snapshot === null;
    snapshot = /** @type {Snapshot} */ (data);
    heard(data);
    speakNew(snapshot);
    if (isFirst && languages.length) void keepReady(snapshot);
    paintSoon();
    void tellUntold();
  },
  link(live, lastHeard) {
    isLive = live;
    document.documentElement.dataset.live = String(live);
    // By the office's clock, which need not be the board's.
    const time = lastHeard && readAt ? clock(readAt, zone) : "–";
    const stale = element(".stale");
    stale.hidden = live;
    if (!live) stale.textContent = say("The link is lost. This is how it was at {time}.", { time });
    paintSoon();
  },
});

if (languages.length) void speaker.tryOut();
setInterval(() => {
  paintSoon();
  if (isLive) void tellUntold();
}, 1_000);
setInterval(() => {
  turn += 1;
  paintSoon();
}, PAGE_SECONDS * 1_000);
new ResizeObserver(() => {
  fit();
  paintSoon();
}).observe(main);
attend();

// What is heard

/** @param {Snapshot} hall */
function speakNew(hall) {
  // A number that is ahead of the journal is of another one, as after a demonstration began anew.
  if (toldTo === null || toldTo > hall.seq) {
    const remembered = Number(sessionStorage.getItem(memory) ?? Infinity);
    toldTo = remembered <= hall.seq ? remembered : hall.seq;
    remember(toldTo);
  }
  for (const call of ofZone(hall)) {
    if (call.seq <= toldTo) continue;
    toldTo = call.seq;
    fresh.add(call.seq);
    if (languages.length) speaker.add(inClips(call));
    else remember(call.seq);
  }
}

/** @param {Call} call */
function inClips(call) {
  const name = counterOf(call)?.name ?? {};
  const saidBy = (/** @type {typeof announcement} */ words) => (/** @type {string} */ language) =>
    words(call.number, name[language] ?? inWords(name), call.counter).map((clip) => `${language}/${clip}.ogg`);
  return { of: call, clips: languages.map(saidBy(announcement)), brief: languages.map(saidBy(brief)), briefest: saidBy(briefest)(languages[0]) };
}

/** Where to go on after a reload. @param {number} seq */
function remember(seq) {
  sessionStorage.setItem(memory, String(seq));
}

/** Have the clips at hand before they are needed, and while there is a link. @param {Snapshot} hall */
async function keepReady(hall) {
  const letters = [...hall.services.map(({ letter }) => letter), ...hall.counters.map(({ id, name }) => numberIn(inWords(name)) ?? id)];
  const addresses = languages.flatMap((language) => vocabulary(letters.join("")).map((clip) => `${CLIPS}${language}/${clip}.ogg`));
  for (const clip of [`${CLIPS}chime.ogg`, ...addresses]) {
    while (!(await isAtHand(clip))) await new Promise((wake) => setTimeout(wake, RETRY_MS));
  }
  element(".voice").dataset.atHand = "true";
}

/** Clips are kept for ever under their address, so one that was fetched is played without a link. @param {string} clip */
async function isAtHand(clip) {
  try {
    const reply = await fetch(clip, { priority: "low" });
    await reply.arrayBuffer();
    return reply.ok || reply.status === 404;
  } catch {
    return false;
  }
}

// What the server is told

/** @param {Call} call @param {"shown" | "spoken"} how */
function acknowledge(call, how) {
  untold.set(`${call.ticket} ${call.at} ${how}`, { call, how, ...(how === "spoken" ? { delay_seconds: begunAfter.get(call.seq) } : {}) });
  void tellUntold();
}

/** One after the other; what finds no server waits until there is one again. */
async function tellUntold() {
  if (isTelling) return;
  isTelling = true;
  try {
    for (let next = untold.entries().next().value; next; next = untold.entries().next().value) {
      const [key, { call, ...told }] = next;
      try {
        await tell(`${address}/tickets/${call.ticket}/announced`, { board, ...told }, { patience: 0 });
      } catch (error) {
        // The visit went on, or is of another day.
        if (!(error instanceof Problem)) return;
      }
      untold.delete(key);
    }
  } finally {
    isTelling = false;
  }
}

/** @param {Call} call @param {Element} place where it was painted */
function painted(call, place) {
  if (shown.has(identity(call)) || !isOnGlass(place)) return;
  shown.add(identity(call));
  const visitor = counterOf(call)?.visitor;
  if (fresh.has(call.seq) || (isCalled(call) && !visitor?.shown_at)) acknowledge(call, "shown");
}

// What is seen

function paintSoon() {
  if (isPaintAsked) return;
  isPaintAsked = true;
  requestAnimationFrame(() => {
    isPaintAsked = false;
    if (snapshot) paint(snapshot);
  });
}

/** @param {Snapshot} hall */
function paint(hall) {
  if (isLive) readAt = Math.max(now(), Date.parse(hall.server_time));
  element(".clock").textContent = clock(now(), zone);
  element(".notice").textContent = notice(hall);
  const demo = element(".demo");
  demo.hidden = !hall.demo;
  if (hall.demo) demo.textContent = say("A demonstration: the clock runs at {speed}.", { speed: hall.demo });
  paintMissed(hall);
  const places = paintCalls(hall);
  paintLines(hall);
  paintPromise(hall);
  // Painted means on the glass: after the frame that this one is in.
  requestAnimationFrame(() => requestAnimationFrame(() => places.forEach(([call, place]) => painted(call, place))));
}

/** @param {Snapshot} hall */
function notice(hall) {
  if (!hall.day_is_open) return say("The office is closed now.");
  return hall.receives ? "" : say("No tickets are issued now.");
}

/** @param {Snapshot} hall @returns {[Call, Element][]} what was painted, and where */
function paintCalls(hall) {
  const recent = latestOfEach(ofZone(hall)).filter((call) => !call.missed);
  const called = awaited(ofZone(hall), hall.counters.filter(({ id }) => counterIds?.includes(id) ?? true));
  const first = spokenNow() ?? called[0] ?? recent[0];
  const others = called.filter((call) => call.ticket !== first?.ticket);
  const rest = recent.filter((call) => call.ticket !== first?.ticket && !others.some(({ ticket }) => ticket === call.ticket));
  spread(false);
  const rows = rowsIn();
  const isCrowd = others.length > 2 * rows;
  if (isCrowd) spread(true);
  paintLatest(first);
  const painted = isCrowd ? paintCrowd(others) : paintFew([...others, ...rest], rows);
  return first ? [[first, latest], ...painted] : painted;
}

/** The calls take the whole wall, or share it with the lines. @param {boolean} isCrowd */
function spread(isCrowd) {
  if (isCrowd) document.body.dataset.crowd = "true";
  else delete document.body.dataset.crowd;
  earlier.style.setProperty("--scale", "1");
}

/** Who is awaited stands before who is served already. @param {Call[]} calls @param {number} rows @returns {[Call, Element][]} */
function paintFew(calls, rows) {
  earlier.style.setProperty("--rows", String(rows));
  // The second column is for a hall that has filled the first.
  earlier.dataset.columns = calls.length > rows ? "2" : "1";
  turns.replaceChildren();
  return put(calls.slice(0, rows * 2));
}

/** In more columns, in smaller rows, and on pages that turn: of those who are awaited, nobody is left out. @param {Call[]} calls @returns {[Call, Element][]} */
function paintCrowd(calls) {
  const columns = Number(getComputedStyle(earlier).getPropertyValue("--columns"));
  const usual = rowsIn();
  const { rows, pages } = pagesOf(calls.length, columns, usual);
  earlier.style.setProperty("--rows", String(rows));
  earlier.style.setProperty("--scale", String(Math.min(1, usual / rows)));
  earlier.dataset.columns = String(columns);
  const sorted = byNumber(calls);
  const all = Array.from({ length: pages }, (_, page) => sorted.slice(page * columns * rows, (page + 1) * columns * rows));
  const page = turn % pages;
  const names = pages > 1 ? namesOf(all) : [];
  turns.replaceChildren(...names.map((name, place) => text("span", place === page ? "now" : "", name)));
  return put(all[page]);
}

/** @param {Call[]} calls @returns {[Call, Element][]} */
function put(calls) {
  /** @type {[Call, HTMLElement][]} */
  const painted = calls.map((call) => [call, row(call)]);
  earlier.replaceChildren(...painted.map(([, item]) => item));
  for (const [, item] of painted) {
    const share = item.clientWidth / item.scrollWidth;
    if (share < 1) item.style.setProperty("--fit", String(share * 0.97));
  }
  return painted;
}

/** How many rows of the usual size have room below one another. */
function rowsIn() {
  return Math.max(1, Math.floor(earlier.clientHeight / (rowHeight() || 1)));
}

/** What is heard is what is seen largest. */
function spokenNow() {
  return sound.hidden ? speaker.current : null;
}

/** @param {Call | undefined} call */
function paintLatest(call) {
  const was = latest.dataset.call;
  latest.dataset.call = call ? identity(call) : "";
  latest.dataset.spoken = String(Boolean(call && call === spokenNow()));
  const isCrowd = String(Boolean(document.body.dataset.crowd));
  const isRoomAsBefore = latest.dataset.crowd === isCrowd;
  latest.dataset.crowd = isCrowd;
  if (was === latest.dataset.call && latest.childElementCount) {
    if (!isRoomAsBefore) fit();
    return;
  }
  latest.replaceChildren(...(call ? inLarge(call) : [text("p", "quiet nobody", say("Nobody has been called yet"))]));
  fit();
  if (call && fresh.has(call.seq)) flash();
}

/** @param {Call} call */
function inLarge(call) {
  return [text("p", "number", call.number), arrow(), counterName(call), loudspeaker()];
}

/** The number of a counter is what is looked for; what it is called stands beside it. @param {Call} call */
function counterName(call) {
  const name = inWords(counterOf(call)?.name ?? { [LANGUAGE]: call.counter });
  const place = numberIn(name);
  const counter = text("p", "counter", "");
  if (place) counter.append(text("span", "word", name.replace(place, "").trim()), " ", text("strong", "", place));
  else counter.append(text("strong", "name", name));
  return counter;
}

/** @param {Call} call */
function row(call) {
  const item = document.createElement("li");
  item.dataset.seq = String(call.seq);
  const awaits = speaker.holds(({ seq }) => seq === call.seq);
  item.className = awaits ? "awaits" : "";
  item.append(text("p", "number", call.number), arrow(), counterName(call));
  return item;
}

/** @param {Snapshot} hall */
function paintMissed(hall) {
  const calls = latestOfEach(ofZone(hall)).filter((call) => call.missed);
  missed.hidden = !calls.length;
  const list = element(".missed ul");
  list.replaceChildren(...calls.map((call) => text("li", "number", call.number)));
  // One line: the oldest go.
  while (list.childElementCount > 1 && list.scrollWidth > list.clientWidth) list.lastElementChild?.remove();
}

/** @param {Snapshot} hall */
function paintLines(hall) {
  const services = hall.services.filter(isOfZone(hall));
  const items = services.map((service) => {
    const item = document.createElement("li");
    item.append(text("span", "letter number", service.letter), text("span", "name", inWords(service.name)));
    item.append(text("span", "count number", String(service.waiting)), text("span", "wait", expected(service, hall)));
    return item;
  });
  lines.replaceChildren(...items);
  const pages = paged(items, lines.clientHeight);
  const page = pages[turn % pages.length];
  for (const item of items) item.hidden = !page.includes(item);
  element(".pages").textContent = pages.length > 1 ? `${(turn % pages.length) + 1} / ${pages.length}` : "";
}

/** As many to a page as have room in full. @param {HTMLElement[]} items @param {number} height */
function paged(items, height) {
  /** @type {HTMLElement[][]} */
  const pages = [[]];
  let top = 0;
  for (const item of items) {
    const bottom = item.offsetTop + item.offsetHeight;
    if (bottom - top > height && pages[pages.length - 1].length) {
      pages.push([]);
      top = item.offsetTop;
    }
    pages[pages.length - 1].push(item);
  }
  return pages;
}

/** @param {Service} service @param {Snapshot} hall */
function expected(service, hall) {
  if (service.closed_because) return say("no tickets now");
  if (!service.waiting) return say("no wait");
  const seconds = service.longest_wait_seconds + (readAt - Date.parse(hall.server_time)) / 1_000;
  return say("about {minutes} min", { minutes: Math.max(1, Math.ceil(seconds / 60)) });
}

/** @param {Snapshot} hall */
function paintPromise(hall) {
  const rows = [
    { words: say("Without booking"), channel: /** @type {const} */ ("walk_in") },
    { words: say("By appointment"), channel: /** @type {const} */ ("booked") },
  ];
  element(".promise dl").replaceChildren(
    ...rows.flatMap(({ words, channel }) => {
      const { met, breached } = hall.kept_today[channel];
      const all = met + breached;
      const term = text("dt", "", words);
      term.append(text("span", "quiet", say("within {minutes} min", { minutes: minutesPromised(hall, channel) })));
      const kept = text("dd", "", "");
      // Rounded down: 99.9 % is not everybody.
      const percent = all ? `${Math.floor((100 * met) / all)} %` : "–";
      const count = all ? say("{met} of {all}", { met, all }) : say("nobody yet");
      kept.append(text("strong", "", percent), text("span", "quiet", count));
      return [term, kept];
    }),
  );
}

/** `15`, or `10–15` where it depends on the service. @param {Snapshot} hall @param {Channel} channel */
function minutesPromised(hall, channel) {
  const limits = hall.services.map(({ limit_seconds }) => limit_seconds[channel]);
  const [least, most] = [Math.min(...limits), Math.max(...limits)].map((seconds) => Math.round(seconds / 6) / 10);
  return least === most ? String(most) : `${least}–${most}`;
}

/** Three pulses, one a second, however many calls there are: whoever is harmed by flashes is not harmed by these. */
function flash() {
  if (!motion.matches) return;
  if (latest.classList.contains(FLASH)) flashesAgain = true;
  latest.classList.add(FLASH);
}

latest.addEventListener("animationend", () => {
  latest.classList.remove(FLASH);
  if (!flashesAgain) return;
  flashesAgain = false;
  requestAnimationFrame(() => requestAnimationFrame(() => latest.classList.add(FLASH)));
});

/** What is too long for the wall is made smaller, and never cut. */
function fit() {
  latest.style.setProperty("--fit", "1");
  const wide = latest.clientWidth / latest.scrollWidth;
  const high = latest.clientHeight / latest.scrollHeight;
  if (Math.min(wide, high) < 1) latest.style.setProperty("--fit", String(Math.min(wide, high) * 0.97));
}

/** Whoever touches the board switches its sound on, and finds its languages; else a pointer would be in the way. */
function attend() {
  window.addEventListener("click", () => speaker.unblock((call) => !isCalled(call)));
  let leaving = 0;
  for (const sign of ["pointermove", "pointerdown", "keydown"]) {
    window.addEventListener(sign, () => {
      document.body.dataset.attended = "true";
      clearTimeout(leaving);
      leaving = setTimeout(() => delete document.body.dataset.attended, 8_000);
    });
  }
}

// The hall

/** Today's calls to this board's counters, the oldest first. @param {Snapshot} hall */
function ofZone(hall) {
  const today = `${hall.day?.replaceAll("-", "")}-`;
  return hall.calls.filter((call) => call.ticket.startsWith(today) && (counterIds?.includes(call.counter) ?? true));
}

/** @param {Snapshot} hall @returns {(service: Service) => boolean} */
function isOfZone(hall) {
  if (!counterIds) return () => true;
  const served = new Set(hall.counters.filter(({ id }) => counterIds.includes(id)).flatMap(({ services }) => services));
  return ({ id }) => served.has(id);
}

/** @param {Call} call */
function counterOf(call) {
  return snapshot?.counters.find(({ id }) => id === call.counter);
}

/** Whether the visitor is still awaited at that counter. @param {Call} call */
function isCalled(call) {
  const visitor = counterOf(call)?.visitor;
  return visitor?.ticket === call.ticket && visitor.state === "called";
}

// The page

/** @param {string} selector */
function element(selector) {
  return /** @type {HTMLElement} */ (document.querySelector(selector));
}

/** @param {string} tag @param {string} kind @param {string} words */
function text(tag, kind, words) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.textContent = words;
  return made;
}

function arrow() {
  return drawing("arrow", "M4 32H56M36 10L58 32L36 54");
}

function loudspeaker() {
  return drawing("loudspeaker", "M6 24H18L34 10V54L18 40H6ZM44 22Q50 32 44 42M52 14Q64 32 52 50");
}

/** @param {string} kind @param {string} strokes */
function drawing(kind, strokes) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("class", kind);
  picture.setAttribute("viewBox", "0 0 64 64");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", strokes);
  picture.append(path);
  return picture;
}

function rowHeight() {
  return parseFloat(getComputedStyle(earlier).getPropertyValue("grid-auto-rows"));
}
