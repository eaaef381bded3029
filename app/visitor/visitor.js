// The visitor's page: it asks for the visit whenever the office's pulse beats, and paints what it is told.

import { Problem, ask, newKey, tell } from "../web/assets/ask.js";
import { guarded } from "../web/assets/faults.js";
import { banner, listen } from "../web/assets/live.js";
import { clock, heard, now } from "../web/assets/time.js";
import { inWords, say } from "../web/assets/words.js";
import * as alarm from "./alarm.js";
import { headline, minutes, note, overLimit, reason, story, waited, waitedWords, when } from "./visit.js";

/** @typedef {import("./visit.js").Visit} Visit */

const ADDRESS = `/api/v1/visits/${location.pathname.split("/").pop()}`;

/** All telephones of a hall hear the others' beats; they do not ask at the same instant, nor more than once a second, however early a timer. */
const LEAST_PAUSE_MS = 1_050;
const JITTER_MS = 250;
const AFTER_FAILURE_MS = 3_000;

/** @param {string} id */
const by = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @type {Visit | null} */
let visit = null;
/** @type {number | null} */
let askedAt = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let planned;
let isAsking = false;
let isWanted = false;
let isUrgent = false;
let isBusy = false;
let lastCall = "";
let lastTold = "";

/** When the visit was last told, and whether the latest question for it went unanswered while the stream goes on. */
let toldAt = /** @type {Date | null} */ (null);
let hasFailed = false;
const showStale = banner(say("No connection since {time}. What you see may be out of date."));

start();

function start() {
  const first = /** @type {Visit | null} */ (JSON.parse(by("visit").textContent ?? "null"));
  if (first) paint(first);
  listen(`${ADDRESS}/stream`, { state: beat, snapshot: take, link: (isLive, at) => showStale(isLive && !hasFailed, hasFailed ? toldAt : at) });
  setInterval(tick, 1_000);
  for (const touch of ["pointerup", "keydown", "click"]) document.addEventListener(touch, makeHeard);
  by("more-time").querySelector("button")?.addEventListener("click", () => step("more-time"));
  by("back").addEventListener("click", () => step("back"));
  by("here").addEventListener("click", () => step("here"));
  by("leave").addEventListener("click", () => dialog().showModal());
  dialog().addEventListener("close", () => dialog().returnValue === "leave" && step("leave"));
  for (const button of stars()) button.addEventListener("click", () => rate(Number(button.dataset.stars)));
  by("words-form").addEventListener("submit", sendWords);
}

// Asking

/** Something has happened in the office, or to this very visit: that is not waited for. @param {{yours?: boolean}} told */
function beat({ yours }) {
  isUrgent ||= Boolean(yours);
  if (isAsking) isWanted = true;
  else if (isUrgent) void refresh();
  else planned ??= setTimeout(refresh, pause());
}

/** How long to wait before asking: not at all the first time. */
function pause() {
  if (askedAt === null) return 0;
  return Math.max(LEAST_PAUSE_MS - (performance.now() - askedAt), Math.random() * JITTER_MS);
}

async function refresh() {
  clearTimeout(planned);
  planned = undefined;
  isAsking = true;
  isWanted = false;
  isUrgent = false;
  askedAt = performance.now();
  try {
    const fresh = /** @type {Visit} */ (await ask(ADDRESS));
    take(fresh);
  } catch (error) {
    console.info("the visit was not told", error);
    hasFailed = true;
    showStale(false, toldAt);
    planned = setTimeout(refresh, AFTER_FAILURE_MS);
  }
  isAsking = false;
  if (isWanted) beat({});
}

/** @param {Visit} fresh */
function take(fresh) {
  if (hasFailed) showStale(true, null);
  hasFailed = false;
  if (!visit || fresh.seq >= visit.seq) guarded(() => paint(fresh));
}

/** Ask for something, and look at what has become of it. @param {string} what @param {object} [body] */
async function wish(what, body) {
  if (isBusy) return false;
  setBusy(true);
  showProblem("");
  try {
    await tell(`${ADDRESS}/${what}`, body, { key: newKey("visitor") });
    return true;
  } catch (error) {
    showProblem(error instanceof Problem ? error.message : say("There was no answer. Please try once more."));
    return false;
  } finally {
    await refresh();
    setBusy(false);
  }
}

/** A wish that changes where the visit stands: what was pressed is gone then. @param {string} what */
async function step(what) {
  if (await wish(what)) by("number").focus();
}

/** @param {number} stars */
async function rate(stars) {
  if (await wish("rate", { stars })) {
    by("rated").textContent = say("Thank you! You may change it, or add a few words.");
    by("words-form").hidden = false;
  }
}

/** @param {Event} event */
async function sendWords(event) {
  event.preventDefault();
  const felt = /** @type {HTMLInputElement} */ (by("felt")).value.trim();
  const field = /** @type {HTMLTextAreaElement} */ (by("remark"));
  const remark = field.value.trim();
  if (!felt && !remark) {
    field.focus();
    return;
  }
  const complaint = /** @type {HTMLInputElement} */ (by("complaint")).checked;
  const body = {
    stars: visit?.stars,
    ...(felt ? { felt_minutes: Number(felt) } : {}),
    ...(remark ? { remark, complaint } : {}),
  };
  if (await wish("rate", body)) {
    by("words-form").hidden = true;
    by("rated").textContent = say("Thank you! Your words have arrived.");
  }
}

// Sound

/** Whatever is touched first: from then on the page may sound. @param {Event} event */
async function makeHeard(event) {
  const isTried = by("sound").contains(/** @type {Node} */ (event.target));
  if (isHeard()) {
    if (isTried && event.type === "click") alarm.chime();
    return;
  }
  await alarm.unlock();
  if (isHeard() || !alarm.canSound()) return;
  paintSound();
  if (!isOn()) return;
  void alarm.stayAwake();
  // Somebody who opens the page when the number is already called has not heard it yet.
  if (visit?.state === "called") alarm.ring();
  else if (isTried) alarm.chime();
}

/** Whether the button says so. */
function isHeard() {
  return by("sound").dataset.on === "true";
}

// The button stays where it is: what moves away under a finger is not pressed.
function paintSound() {
  const button = by("sound");
  button.hidden = !isOn();
  button.dataset.on = String(alarm.canSound());
  button.textContent = alarm.canSound() ? say("The sound is on. Touch here to try it.") : say("Turn the sound on, to hear your call");
}

/** Whether a call may still come. */
function isOn() {
  return visit !== null && ["waiting", "held", "called", "late"].includes(visit.state);
}

// Painting

/** @param {Visit} fresh */
function paint(fresh) {
  visit = fresh;
  toldAt = new Date();
  heard(fresh);
  document.body.dataset.state = fresh.state;
  const demo = /** @type {HTMLElement} */ (document.querySelector(".demo"));
  demo.hidden = !fresh.demo;
  demo.textContent = fresh.demo ? say("Demonstration: the clock runs at {speed}", { speed: fresh.demo }) : "";
  put("service", inWords(fresh.service.name));
  const isAtCounter = fresh.state === "called" || fresh.state === "serving";
  put("counter", isAtCounter && fresh.counter ? inWords(fresh.counter.name) : "");
  by("over").hidden = !fresh.over_limit_since;
  /** @type {HTMLElement} */ (by("over").firstElementChild).textContent = overLimit(fresh);
  paintSound();
  tick();
  paintActions(fresh);
  paintRating(fresh);
  paintPassed(fresh);
  paintTimeline(fresh);
  call(fresh);
  announce(fresh);
}

/** What changes with the time alone. */
function tick() {
  if (!visit) return;
  put("headline", headline(visit, now()));
  put("when", when(visit));
  put("note", note(visit, now()));
  const isOver = !isOn() && visit.state !== "serving";
  by("clock").hidden = visit.state !== "waiting" && !isOver;
  const seconds = waited(visit, now());
  const bar = /** @type {HTMLProgressElement} */ (by("waited"));
  bar.max = visit.limit_seconds || 1;
  bar.value = Math.min(seconds, visit.limit_seconds);
  const isLate = seconds >= visit.limit_seconds;
  bar.classList.toggle("late", isLate);
  put("waited-words", waitedWords(isOver, isLate, { waited: minutes(seconds), limit: minutes(visit.limit_seconds) }));
}

/** @param {Visit} fresh */
function paintActions({ may }) {
  by("actions").hidden = !may.leave && !may.more_time && !may.back && !may.here;
  by("back").hidden = !may.back;
  by("here").hidden = !may.here;
  by("leave").hidden = !may.leave;
  by("more-time").hidden = !may.more_time;
  if (may.more_time) {
    const button = /** @type {HTMLElement} */ (by("more-time").querySelector("button"));
    button.textContent = say("I need {minutes} more minutes", { minutes: minutes(may.more_time.seconds) });
    put("times-left", say("Times left: {count}.", { count: may.more_time.left }));
  }
  if (!may.leave && dialog().open) dialog().close("stay");
}

/** @param {Visit} fresh */
function paintRating(fresh) {
  by("rating").hidden = !fresh.may.rate && fresh.stars === null;
  for (const button of stars()) {
    button.disabled = !fresh.may.rate;
    button.setAttribute("aria-pressed", String(Number(button.dataset.stars) === fresh.stars));
    button.classList.toggle("lit", fresh.stars !== null && Number(button.dataset.stars) <= fresh.stars);
  }
  if (!fresh.may.rate) by("words-form").hidden = true;
}

/** @param {Visit} fresh */
function paintPassed(fresh) {
  by("passed").hidden = fresh.passed_by.length === 0;
  const items = fresh.passed_by.map((passed) => {
    const item = document.createElement("li");
    const number = document.createElement("b");
    number.className = "number";
    number.textContent = passed.number;
    item.append(number, ` ${reason(passed.why)}`);
    return item;
  });
  by("passed").querySelector("ul")?.replaceChildren(...items);
}

/** @param {Visit} fresh */
function paintTimeline(fresh) {
  by("timeline").hidden = false;
  const items = fresh.timeline.map((step) => {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.dateTime = step.at;
    time.textContent = clock(step.at, fresh.office.zone);
    const text = document.createElement("p");
    text.textContent = story(step, fresh.office.zone);
    const seal = document.createElement("small");
    seal.className = "quiet";
    seal.textContent = say("line {seq}, {seal}…", { seq: step.seq, seal: step.hash.slice(0, 8) });
    text.append(document.createElement("br"), seal);
    item.append(time, text);
    return item;
  });
  by("timeline").querySelector("ol")?.replaceChildren(...items);
}

/** Make a new call heard and felt, and say it in the tab. @param {Visit} fresh */
function call(fresh) {
  const calling = fresh.state === "called" ? `${fresh.counter?.id} ${fresh.called_at}` : "";
  const counter = fresh.counter ? inWords(fresh.counter.name) : "";
  document.title = calling ? `➜ ${counter} · ${fresh.number}` : `${fresh.number} · ${headline(fresh, now())}`;
  if (calling === lastCall) return;
  lastCall = calling;
  by("called").textContent = calling ? `${fresh.number}. ${headline(fresh, now())} ${counter}` : "";
  if (!calling) {
    alarm.hush();
    return;
  }
  window.scrollTo({ top: 0 });
  if (dialog().open) dialog().close("stay");
  alarm.ring();
}

/** What changed, for those who listen to the page. @param {Visit} fresh */
function announce(fresh) {
  const told = [headline(fresh, now()), when(fresh), note(fresh, now()), overLimit(fresh)].filter(Boolean).join(". ");
  if (told === lastTold || fresh.state === "called") return;
  // The page itself has said the first of it.
  if (lastTold) by("told").textContent = told;
  lastTold = told;
}

/** A text, or nothing at all. @param {string} id @param {string} text */
function put(id, text) {
  const element = by(id);
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}

/** @param {string} text */
function showProblem(text) {
  put("problem", text);
}

/** @param {boolean} isIt */
function setBusy(isIt) {
  isBusy = isIt;
  document.body.dataset.busy = String(isIt);
}

/** @returns {HTMLButtonElement[]} */
function stars() {
  return [.../** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-stars]"))].map((button) => {
    button.setAttribute("aria-label", say("{stars} of 5", { stars: button.dataset.stars ?? "" }));
    return button;
  });
}

function dialog() {
  return /** @type {HTMLDialogElement} */ (by("leaving"));
}

