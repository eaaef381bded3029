// The kiosk: two touches to a ticket, for whoever stands before it, with the server or without.

import { Problem, newKey, tell } from "../web/assets/ask.js";
import { listen } from "../web/assets/live.js";
import { heard, now } from "../web/assets/time.js";
import { make, picture } from "./dom.js";
import { Idle } from "./idle.js";
import { Keeper, NoNumbers, draw, visitAt } from "./keeper.js";
import { changed, hush, isLarge, paintModes, usual, whenVoicesCome } from "./modes.js";
import { pageThrough } from "./paging.js";
import { Jammed, print } from "./printing.js";
import { API, SETUP } from "./setup.js";
import { staffPanel } from "./staff.js";
import { openStore } from "./store.js";
import { dayOf, inWords, say, speak, spoken, timeOf } from "./tongue.js";

/** @typedef {import("./setup.js").Service} Service */
/** @typedef {import("./setup.js").Category} Category */
/** @typedef {import("./setup.js").Group} Group */
/** @typedef {import("./setup.js").Menu} Menu */
/** @typedef {import("./setup.js").Paper} Paper */
/** @typedef {"welcome" | "group" | "rights" | "times" | "late" | "back" | "ticket" | "sorry"} View */

const TICKET_SHOWN_S = 8;
/** A number that has to be written down stays for longer. */
const UNPRINTED_SHOWN_S = 30;
const CODE_MS = 1_500;
const SLOT_STEP_MS = 5 * 60_000;
const SLOTS_SHOWN = 12;
const SLOTS_BEFORE = 4;
const MINUTE_MS = 60_000;
const STAFF_PRESS_MS = 1_500;

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const modes = /** @type {HTMLElement} */ (document.querySelector(".modes"));
const countdown = /** @type {HTMLElement} */ (document.querySelector(".countdown"));
const line = /** @type {HTMLElement} */ (document.querySelector(".line"));
const clock = /** @type {HTMLElement} */ (document.querySelector(".clock"));
const office = /** @type {HTMLElement} */ (document.querySelector(".office"));
const demo = /** @type {HTMLElement} */ (document.querySelector(".demo"));

/** @type {Menu} */
let menu = SETUP.menu;
/** The office's live state; null while it is not live. @type {any} */
let state = null;
/** @type {View} */
let view = "welcome";
/** @type {Group | null} */
let group = null;
/** @type {Category | null} */
let category = null;
/** @type {number | null} */
let slot = null;
let slotsFrom = 0;
let busy = false;
/** @type {Paper | null} */
let paper = null;
/** How the print went: null while it goes on, empty when it went well. @type {string | null} */
let unprinted = null;
let sorry = "";
/** The number of a late visitor who is in the line again. */
let back = "";
/** @type {Paper | null} */
let lastPaper = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let ticketTimer;
/** How long the ticket stays for whoever does not ask for time. */
let ticketShown = TICKET_SHOWN_S;

heard({ server_time: menu.server_time, demo: SETUP.demo });
const offerPages = pageThrough(main, /** @type {HTMLElement} */ (document.querySelector(".paging")));
const idle = new Idle(SETUP.idle, beginAnew, paintCountdown);
const keeper = new Keeper(await memory(), learnMenu, paintLine);
const staff = staffPanel(keeper, () => lastPaper);

// What is known

async function memory() {
  try {
    const store = await openStore(`fifteen-kiosk-${SETUP.office}-${SETUP.kiosk}`);
    void navigator.storage?.persist?.();
    const known = await store.note("clock");
    // A page that comes from the browser's memory tells the time at which it was kept.
    if (known && told(known) > now()) heard({ server_time: new Date(told(known)).toISOString(), demo: SETUP.demo });
    menu = (await store.note("menu")) ?? menu;
    return store;
  } catch (error) {
    console.warn("nothing is remembered here", error);
    return null;
  }
}

/** What the server's clock shows, when it was heard of last. @param {{told: number, at: number}} known */
function told(known) {
  const speed = SETUP.demo ? parseFloat(SETUP.demo) : 1;
  return known.told + (Date.now() - known.at) * speed;
}

/** @param {Menu} news */
function learnMenu(news) {
  const isNews = JSON.stringify({ ...news, server_time: "", seq: 0 }) !== JSON.stringify({ ...menu, server_time: "", seq: 0 });
  menu = news;
  heard({ server_time: news.server_time, demo: SETUP.demo });
  void keeper?.store?.keepNote("menu", news);
  void keeper?.store?.keepNote("clock", { told: Date.parse(news.server_time), at: Date.now() });
  if (isNews) repaint();
}

/** @param {any} news */
function learnState(news) {
  const asMenu = (/** @type {any} */ each) => each && JSON.stringify([each.receives, each.services.map((/** @type {any} */ one) => one.closed_because)]);
  const moved = asMenu(state) !== asMenu(news);
  const wereLate = lateNumbers().join();
  state = news;
  if (wereLate !== lateNumbers().join() && (view === "welcome" || view === "late")) repaint();
  heard(news);
  demo.hidden = !news.demo;
  demo.textContent = news.demo ?? "";
  paintWaits();
  if (moved || keeper.away) keeper.soon();
}

/** How many wait for a service, and for about how long; null when that is not known. @param {Service} service */
function waitFor(service) {
  const now = state?.services.find((/** @type {any} */ each) => each.id === service.id);
  if (!now || keeper.away) return null;
  if (!now.waiting) return say("Nobody is waiting");
  const minutes = Math.max(1, Math.ceil(now.longest_wait_seconds / 60));
  return say("Waiting: {count} · about {minutes} min", { count: now.waiting, minutes });
}

/** Why no ticket is given for a service; null when one is. @param {Service} service */
function closedBecause(service) {
  if (service.open) return null;
  if (service.reason) return service.reason;
  const kind = (service.problem ?? "").replace("/problems/", "");
  // While the server is away nobody knows whether the office has opened meanwhile.
  if (kind === "office-closed") return keeper.away ? null : say("We are closed now");
  return say("Nobody serves this now");
}

// What is painted

function repaint() {
  office.textContent = inWords(menu.name);
  document.title = inWords(menu.name);
  document.body.dataset.view = view;
  const focused = document.activeElement instanceof HTMLButtonElement ? document.activeElement.textContent : null;
  const views = { welcome, group: groupView, rights, times, late, back: backView, ticket: ticketView, sorry: sorryView };
  main.replaceChildren(...views[view]());
  paintModes(modes, () => {
    if (view !== "ticket") idle.watch();
    else stay(ticketShown);
    repaint();
  });
  offerPages();
  paintWaits();
  paintLine();
  if (view === "welcome" && isUntouched()) idle.rest();
  if (focused) buttonNamed(focused)?.focus();
}

/** @param {string} text */
function buttonNamed(text) {
  return [.../** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("main button, .modes button"))].find((each) => each.textContent === text);
}

/** Go to a view, as somebody at the screen wished. @param {View} next */
function show(next) {
  hush();
  view = next;
  if (view !== "ticket") idle.watch();
  repaint();
  main.querySelector("h1")?.focus();
  main.scrollTo(0, 0);
}

function isUntouched() {
  return !category && slot === null && !changed() && spoken() === SETUP_LANGUAGE;
}

function beginAnew() {
  clearTimeout(ticketTimer);
  usual();
  speak();
  [view, group, category, slot, paper, busy] = ["welcome", null, null, null, null, false];
  idle.rest();
  repaint();
}

/** @returns {HTMLElement[]} */
function welcome() {
  const groups = menu.groups.filter((each) => menu.services.some((service) => service.group === each.id));
  const alone = menu.services.filter((service) => !groups.some((each) => each.id === service.group));
  const ways = [
    ...(menu.categories.length && !category ? [make("button", { type: "button", onclick: () => show("rights") }, say("I have a right to go first"))] : []),
    ...(menu.claims && slot === null ? [make("button", { type: "button", onclick: chooseTime }, say("I have an appointment"))] : []),
    ...(lateNumbers().length ? [make("button", { type: "button", onclick: () => show("late") }, say("I missed my call"))] : []),
  ];
  return [
    languages(),
    heading(say("What have you come for?")),
    ...chosen(),
    make(
      "div",
      { class: "choices" },
      ...groups.map((each) => make("button", { type: "button", class: "choice group", onclick: () => openGroup(each) }, inWords(each.name))),
      ...alone.map(serviceButton),
    ),
    ...(ways.length ? [make("div", { class: "ways" }, ...ways)] : []),
    ...(isUntouched() ? [] : [make("div", { class: "steps" }, startAgain())]),
  ];
}

/** @returns {HTMLElement} */
function languages() {
  return make(
    "nav",
    { class: "tongues", "aria-label": say("Language") },
    ...Object.entries(SETUP.languages).map(([code, name]) =>
      make(
        "button",
        {
          type: "button",
          lang: code,
          "aria-pressed": String(code === spoken()),
          onclick: () => {
            speak(code);
            show(view);
          },
        },
        name,
      ),
    ),
  );
}

/** @returns {HTMLElement[]} */
function groupView() {
  const services = menu.services.filter((service) => service.group === group?.id);
  return [
    heading(group ? inWords(group.name) : ""),
    ...chosen(),
    make("div", { class: "choices" }, ...services.map(serviceButton)),
    steps("welcome"),
  ];
}

/** @param {Group} each */
function openGroup(each) {
  group = each;
  show("group");
}

/** @param {Service} service */
function serviceButton(service) {
  const closed = closedBecause(service);
  return make(
    "button",
    { type: "button", class: "choice service", "data-service": service.id, disabled: closed !== null, onclick: () => void take(service) },
    make("span", { class: "name" }, inWords(service.name)),
    closed === null ? make("span", { class: "wait", "data-wait": service.id }) : make("span", { class: "closed" }, closed),
  );
}

function paintWaits() {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (main.querySelectorAll("[data-wait]"))) {
    const service = menu.services.find((each) => each.id === element.dataset.wait);
    element.textContent = (service && waitFor(service)) ?? "";
  }
}

/** @returns {HTMLElement[]} */
function rights() {
  return [
    heading(say("I have a right to go first")),
    make("p", { class: "quiet" }, say("You will be asked for the document at the counter.")),
    make(
      "div",
      { class: "choices" },
      ...menu.categories.map((each) =>
        make(
          "button",
          {
            type: "button",
            class: "choice",
            "data-category": each.id,
            onclick: () => {
              category = each;
              show("welcome");
            },
          },
          make("span", { class: "name" }, inWords(each.name)),
          make("span", { class: "wait" }, say("Document: {name}", { name: inWords(each.basis) })),
        ),
      ),
    ),
    steps("welcome"),
  ];
}

function chooseTime() {
  slotsFrom = (Math.floor(now() / SLOT_STEP_MS) - SLOTS_BEFORE) * SLOT_STEP_MS;
  show("times");
}

/** @returns {HTMLElement[]} */
function times() {
  const move = (/** @type {number} */ by) => () => {
    slotsFrom += by * SLOTS_SHOWN * SLOT_STEP_MS;
    show("times");
  };
  const slots = Array.from({ length: SLOTS_SHOWN }, (_, place) => slotsFrom + place * SLOT_STEP_MS);
  return [
    heading(say("What time is your appointment?")),
    make("button", { type: "button", class: "shift", onclick: move(-1) }, say("Earlier")),
    make(
      "div",
      { class: "choices slots" },
      ...slots.map((each) =>
        make(
          "button",
          {
            type: "button",
            class: "choice number",
            "data-slot": new Date(each).toISOString(),
            onclick: () => {
              slot = each;
              show("welcome");
            },
          },
          timeOf(each),
        ),
      ),
    ),
    make("button", { type: "button", class: "shift", onclick: move(1) }, say("Later")),
    steps("welcome"),
  ];
}

/** The numbers that were called for nothing and may still come. @returns {string[]} */
function lateNumbers() {
  return keeper?.away ? [] : (state?.late_visitors ?? []).map((/** @type {{number: string}} */ each) => each.number);
}

/** @returns {HTMLElement[]} */
function late() {
  const numbers = lateNumbers().map((each) => make("button", { type: "button", class: "choice number", "data-late": each, onclick: () => void readmit(each) }, each));
  return [heading(say("Which number is yours?")), make("div", { class: "choices slots" }, ...numbers), steps("welcome")];
}

/** @param {string} number */
async function readmit(number) {
  if (busy) return;
  busy = true;
  try {
    await tell(`${API}/kiosks/${SETUP.kiosk}/readmit`, { number }, { key: newKey("late") });
    back = number;
    show("back");
  } catch (error) {
    sorry = error instanceof Problem ? error.message : say("There is no answer. Please ask the staff.");
    show("sorry");
  } finally {
    busy = false;
  }
}

/** @returns {HTMLElement[]} */
function backView() {
  return [
    heading(say("You are in the line again")),
    make("p", { class: "your number" }, back),
    make("div", { class: "steps" }, make("button", { type: "button", class: "main", onclick: beginAnew }, say("Done"))),
  ];
}

/** What the visitor has said already, to be taken back. @returns {HTMLElement[]} */
function chosen() {
  const said = (/** @type {string} */ text, /** @type {() => void} */ back) =>
    make("p", { class: "said" }, make("span", {}, text), make("button", { type: "button", onclick: back }, say("Not so")));
  return [
    ...(category ? [said(say("Out of turn: {name}", { name: inWords(category.name) }), () => ((category = null), show(view)))] : []),
    ...(slot === null ? [] : [said(say("Appointment at {time}", { time: timeOf(slot) }), () => ((slot = null), show(view)))]),
  ];
}

/** @param {View} back */
function steps(back) {
  return make("div", { class: "steps" }, make("button", { type: "button", onclick: () => show(back) }, say("Back")), startAgain());
}

function startAgain() {
  return make("button", { type: "button", onclick: beginAnew }, say("Start again"));
}

/** @param {string} text */
function heading(text) {
  return make("h1", { tabindex: "-1" }, text);
}

// The ticket

/** @param {Service} service */
async function take(service) {
  if (busy) return;
  busy = true;
  main.dataset.busy = "true";
  try {
    const wish = {
      service: service.id,
      channel: /** @type {"booked" | "walk_in"} */ (slot === null ? "walk_in" : "booked"),
      category: category?.id ?? null,
      slot: slot === null ? null : new Date(slot).toISOString(),
      language: spoken(),
    };
    const taken = await keeper.take(wish, service.letter);
    paper = "ticket" in taken ? fromServer(taken.ticket, service) : fromLease(taken, service);
    lastPaper = paper;
    hand(paper);
  } catch (error) {
    sorry = error instanceof Problem ? error.message : say("We cannot give you a ticket now. Please ask the staff.");
    if (!(error instanceof Problem || error instanceof NoNumbers)) console.error(error);
    keeper.soon();
    show("sorry");
  } finally {
    busy = false;
    delete main.dataset.busy;
  }
}

/** @param {any} ticket @param {Service} service @returns {Paper} */
function fromServer(ticket, service) {
  const since = Date.parse(ticket.clock_start);
  return {
    number: ticket.number,
    service,
    category,
    issuedAt: Date.parse(ticket.issued_at),
    since,
    due: since + ticket.limit_seconds * 1_000,
    ahead: ticket.ahead_at_issue,
    limitMinutes: Math.round(ticket.limit_seconds / 60),
    url: visitAt(ticket.visit),
    code: null,
    offline: false,
  };
}

/** @param {{held: import("./store.js").Held, lease: import("./store.js").Lease}} given @param {Service} service @returns {Paper} */
function fromLease({ held, lease }, service) {
  const issuedAt = Date.parse(held.issued_at);
  const since = issuedAt;
  // Nobody has found a booking yet, so the walk-in's limit is promised.
  const limit = service.limit_seconds.walk_in;
  // Its own page bears the day of the lease, so a number that is given on a later day has none.
  const token = lease.day === dayOf(issuedAt) ? lease.visits[held.number] : undefined;
  return {
    number: held.number,
    service,
    category,
    issuedAt,
    since,
    due: since + limit * 1_000,
    ahead: null,
    limitMinutes: Math.round(limit / 60),
    url: token ? visitAt(token) : null,
    code: (token && lease.codes[held.number]) || null,
    offline: true,
  };
}

/** Show the ticket at once, and print it. @param {Paper} given */
function hand(given) {
  unprinted = null;
  idle.rest();
  show("ticket");
  stay(TICKET_SHOWN_S);
  void complete(given).then(() => printTicket(given));
}

/** The code comes after the number: nobody waits for it. @param {Paper} given */
async function complete(given) {
  if (!given.url || given.code) return;
  try {
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("the code is late")), CODE_MS));
    const [code] = /** @type {import("./setup.js").Code[]} */ (await Promise.race([draw([given.url]), late]));
    given.code = code ?? null;
    if (paper === given) repaint();
  } catch (error) {
    console.info("no code on this ticket", error);
  }
}

/** @param {Paper} given */
async function printTicket(given) {
  unprinted = null;
  if (paper === given) repaint();
  try {
    await print(given, menu.hotline);
    unprinted = "";
  } catch (error) {
    unprinted = error instanceof Jammed ? error.message : say("The printer is not ready.");
    console.warn("not printed", error);
    if (paper === given) stay(UNPRINTED_SHOWN_S);
  }
  if (paper === given) repaint();
}

/** Whoever asked for large text reads for as long as it takes. @param {number} seconds */
function stay(seconds) {
  clearTimeout(ticketTimer);
  ticketShown = seconds;
  if (isLarge()) return;
  ticketTimer = setTimeout(beginAnew, seconds * 1_000);
}

/** @returns {HTMLElement[]} */
function ticketView() {
  const given = paper;
  if (!given) return [];
  const facts = [
    make("p", { class: "due" }, say("You will be called no later than {time}", { time: timeOf(given.due) })),
    ...(given.since > given.issuedAt ? [make("p", {}, say("Your time: {time}", { time: timeOf(given.since) }))] : []),
    ...(given.ahead === null ? [] : [make("p", {}, say("Ahead of you: {count}", { count: given.ahead }))]),
    make("p", { class: "quiet" }, say("Taken at {time}. The limit is {minutes} minutes.", { time: timeOf(given.issuedAt), minutes: given.limitMinutes })),
    ...(given.category ? [make("p", {}, say("Have your document ready: {name}", { name: inWords(given.category.basis) }))] : []),
    ...(menu.hotline ? [make("p", { class: "quiet" }, say("Hotline: {number}", { number: menu.hotline }))] : []),
  ];
  const code = given.code
    ? [make("figure", {}, picture(given.code, say("Code of your own page")), make("figcaption", {}, say("Your place in line, on your phone")))]
    : [];
  return [
    heading(say("Your number")),
    make("p", { class: "your number" }, given.number),
    make("p", { class: "what" }, inWords(given.service.name)),
    printed(),
    make("div", { class: "told" }, make("div", { class: "facts" }, ...facts), ...code),
    make("div", { class: "steps" }, ...again(given), make("button", { type: "button", class: "main", onclick: beginAnew }, say("Done"))),
  ];
}

/** How the print went. @returns {HTMLElement} */
function printed() {
  if (!unprinted) return make("p", { class: "take", role: "status" }, unprinted === null ? say("Your ticket is being printed") : say("Take your ticket"));
  const why = make("span", { class: "small" }, unprinted);
  return make("p", { class: "problem", role: "alert" }, say("Please note your number: the ticket was not printed. It is valid all the same."), " ", why);
}

/** @param {Paper} given @returns {HTMLElement[]} */
function again(given) {
  const retry = () => {
    stay(UNPRINTED_SHOWN_S);
    void printTicket(given);
  };
  return unprinted ? [make("button", { type: "button", onclick: retry }, say("Print again"))] : [];
}

/** @returns {HTMLElement[]} */
function sorryView() {
  return [heading(say("Sorry")), make("p", { class: "problem", role: "alert" }, sorry), steps("welcome")];
}

// Around it

/** @param {number | null} left */
function paintCountdown(left) {
  const was = countdown.hidden;
  countdown.hidden = left === null;
  if (left === null) return;
  if (was) {
    const button = make("button", { type: "button", class: "main", onclick: () => idle.touched() }, say("I need more time"));
    const words = make("p", { role: "status" }, say("Are you still here? The screen begins anew soon."));
    countdown.replaceChildren(words, make("p", { class: "left number", "aria-hidden": "true" }), button);
  }
  const number = countdown.querySelector(".left");
  if (number) number.textContent = String(left);
}

/** The discreet line for the staff. */
function paintLine() {
  line.textContent = say("Kiosk {name}", { name: SETUP.kiosk }) + (keeper?.away ? ` · ${say("without the server")}` : "");
  line.dataset.away = String(Boolean(keeper?.away));
  document.documentElement.dataset.away = String(Boolean(keeper?.away));
  staff?.repaint();
}

function tick() {
  clock.textContent = timeOf(now());
}

window.addEventListener("keydown", (event) => {
  if (event.key !== "F10") return;
  event.preventDefault();
  staff.toggle();
});
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pressed;
line.addEventListener("pointerdown", () => (pressed = setTimeout(() => staff.toggle(), STAFF_PRESS_MS)));
for (const end of ["pointerup", "pointerleave", "pointercancel"]) line.addEventListener(end, () => clearTimeout(pressed));
line.addEventListener("contextmenu", (event) => event.preventDefault());

/** Have the page kept for when it is loaded anew and the server is away. */
async function keepPage() {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register("/kiosk/worker.js", { scope: "/kiosk/" });
  const { active } = await navigator.serviceWorker.ready;
  const files = performance.getEntriesByType("resource").map((each) => each.name).filter((name) => name.includes("/assets/"));
  active?.postMessage({ page: location.href, files });
}

const SETUP_LANGUAGE = spoken();
whenVoicesCome(repaint);
repaint();
tick();
setInterval(tick, MINUTE_MS / 60);
keeper.soon();
listen(`${API}/stream`, {
  state: learnState,
  link: (isLive) => {
    if (!isLive) {
      state = null;
      paintWaits();
      keeper.soon();
    }
  },
});
void keepPage().catch((error) => console.warn("the page is not kept", error));
document.documentElement.dataset.ready = "true";
