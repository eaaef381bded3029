// The place of work: what the counter does, what its one key does next, and everything else an operator may wish.

import { ask, Problem } from "../web/assets/ask.js";
import { guarded } from "../web/assets/faults.js";
import { banner, listen } from "../web/assets/live.js";
import { clock, heard, minutes, now } from "../web/assets/time.js";
import { inWords, LANGUAGE, mark, say } from "../web/assets/words.js";
import { listenForKeys } from "./keys.js";
import { lineOf, paintLine, rankSaid, tickLine } from "./line.js";
import { closeVisitorPanels, openPanels } from "./panels.js";
import { remember, remembered } from "./remembered.js";
import { isMuted, mute, ring } from "./sound.js";
import { element, made, nameOf } from "./states.js";
import { paintStory, whySaid } from "./story.js";
import { alone, counts, DOUBLE_PRESS_MS, holdBack, wish } from "./wishes.js";

/** @typedef {import("./states.js").Snapshot} Snapshot */
/** @typedef {import("./states.js").Counter} Counter */
/** @typedef {import("./states.js").Visitor} Visitor */
/** @typedef {"lost" | "taken" | "closed" | "paused" | "free" | "armed" | "called" | "serving"} Mode */

const PLACE = JSON.parse(element("place").textContent);
const OFFICE = `/api/v1/offices/${PLACE.office}`;
const COUNTER = `${OFFICE}/counters/${PLACE.counter}`;
const UNTOLD_MS = 10_000;
const TICK_MS = 250;
const STREAM_PATIENCE_MS = 1_500;
/** Letters that stand on the main button in the largest type at 1024 pixels. */
const LONG_LABEL = 13;

/** @type {HTMLButtonElement} */
const main = element("main");

/** @type {Snapshot | null} */
let snapshot = null;
/** @type {import("./story.js").Visit | null} */
let visit = null;
let visitAskedFor = "";
let isLive = false;
/** Whether the next visitor who comes to the empty line is called by itself. */
let isArmed = false;
/** @type {{seq: number, wake: () => void} | null} */
let awaited = null;

const MAIN = /** @type {Record<Mode, {label: string, act: () => Promise<void>} | undefined>} */ ({
  closed: { label: mark("Open the counter"), act: open },
  paused: { label: mark("Go on working"), act: open },
  free: { label: mark("Next visitor"), act: callNext },
  armed: { label: mark("Ready to call"), act: callNext },
  called: { label: mark("Start"), act: () => step("start") },
  serving: { label: mark("Finish"), act: finish },
});

begin();

function begin() {
  if (!remembered("operator")) {
    location.replace(`/console/${PLACE.office}?lang=${LANGUAGE}`);
    return;
  }
  main.addEventListener("click", () => {
    const doing = MAIN[mode()];
    if (doing) void act("main", doing.act);
  });
  on("recall", () => step("recall"));
  on("no-show", () => step("no-show"));
  on("undo", () => told(`${COUNTER}/undo`));
  on("verify", () => step("verify-category"));
  on("take-over", () => told(`${COUNTER}/open`, { operator: remembered("operator"), take_over: true }));
  on("end-theirs", () => told(`${COUNTER}/close`));
  element("disarm").addEventListener("click", disarm);
  element("be-them").addEventListener("click", beThem);
  element("mute").addEventListener("click", () => {
    mute(!isMuted());
    paintMute();
    ring();
  });
  const habit = element("finish-calls");
  habit.checked = remembered("finish-calls") === "yes";
  habit.addEventListener("change", () => {
    remember("finish-calls", habit.checked ? "yes" : "no");
    paint();
  });
  openPanels({ act, step, pause, close: () => told(`${COUNTER}/close`), state: () => snapshot, counter: () => PLACE.counter });
  listenForKeys(main);
  paintMute();
  const show = banner(say("The link to the server was lost at {time}. What you see may be old."));
  listen(`${OFFICE}/stream`, {
    state: take,
    link: (live, lastHeard) => {
      isLive = live;
      show(live, lastHeard);
    },
  });
  setInterval(tick, TICK_MS);
  main.focus();
}

// What is so

/** Take in a state of the office. @param {Snapshot} fresh */
function take(fresh) {
  const before = snapshot && mine(snapshot);
  heard(fresh);
  snapshot = fresh;
  if (awaited && fresh.seq >= awaited.seq) awaited.wake();
  const counter = mine(fresh);
  if (!counter || counter.state !== "open" || counter.visitor) isArmed = false;
  paint();
  if (counter && before && !before.waits && counter.waits && isFree(before) && isFree(counter)) ring();
  callArrival();
}

/** Call who has come to the empty line, if that was wished. */
function callArrival() {
  if (isArmed && isLive && mode() === "armed" && snapshot && mine(snapshot)?.waits) void act("arrival", callNext);
}

/** @param {Snapshot} of */
function mine(of) {
  return of.counters.find((counter) => counter.id === PLACE.counter) ?? null;
}

/** @param {Counter} counter */
function isFree(counter) {
  return counter.state === "open" && !counter.visitor;
}

/** @returns {Mode} */
function mode() {
  const counter = snapshot && mine(snapshot);
  if (!counter) return "lost";
  if (counter.operator && counter.operator !== remembered("operator")) return "taken";
  if (counter.state !== "open" && !counter.visitor) return counter.state;
  if (counter.visitor) return counter.visitor.state;
  return isArmed ? "armed" : "free";
}

// What is wished

/** @param {string} button @param {() => Promise<void>} wishes */
function on(button, wishes) {
  element(button).addEventListener("click", () => void act(button, wishes));
}

/**
 * Carry out what a button stands for, unless something is under way; the page shows it when the office's state has come.
 * @param {string} button
 * @param {() => Promise<void>} wishes
 */
async function act(button, wishes) {
  if (!counts(button)) return;
  complain("");
  const before = mode();
  try {
    const done = alone(button, wishes);
    paintMain();
    await done;
  } catch (error) {
    // Another console of this counter, or another counter, was quicker, and the state says so; or a wish was carried
    // out whose answer was lost, and the state says that too.
    const isToldByState = error instanceof Problem ? button === "arrival" : mode() !== before;
    if (!isToldByState) complain(sentenceOf(error));
    element("take-over").hidden = !(error instanceof Problem && error.type === "operator-busy");
  }
  setTimeout(paintMain, DOUBLE_PRESS_MS);
  paint();
  callArrival();
  if (!document.querySelector("dialog[open]")) main.focus();
}

/** Tell the server and wait until its state shows what came of it. @param {string} address @param {object} [body] */
async function told(address, body) {
  const reply = await wish(address, body);
  if (reply) await untilShown(reply.seq);
  return reply;
}

/** A step of a visit, as a rule of the one at the counter. @param {string} name @param {object} [body] @param {string} [ticket] */
async function step(name, body, ticket = (snapshot && mine(snapshot)?.visitor?.ticket) ?? "") {
  await told(`${OFFICE}/tickets/${ticket}/${name}`, body);
}

async function open() {
  await told(`${COUNTER}/open`, { operator: remembered("operator") });
}

async function callNext() {
  isArmed = (await told(`${COUNTER}/call-next`)) === null;
}

async function finish() {
  await step("finish", { outcome: "done" });
  if (element("finish-calls").checked && snapshot && !mine(snapshot)?.visitor) await callNext();
}

/** @param {string} reason */
async function pause(reason) {
  isArmed = false;
  await told(`${COUNTER}/pause`, { reason });
}

function disarm() {
  isArmed = false;
  paint();
  main.focus();
}

function beThem() {
  remember("operator", (snapshot && mine(snapshot)?.operator) ?? "");
  paint();
  main.focus();
}

/** Wait for the state of this fact; ask for it when the stream is late. @param {number} seq */
async function untilShown(seq) {
  if (snapshot && snapshot.seq >= seq) return;
  await new Promise((wake) => {
    awaited = { seq, wake: () => wake(undefined) };
    setTimeout(wake, STREAM_PATIENCE_MS);
  });
  awaited = null;
  if (!snapshot || snapshot.seq < seq) take(await ask(OFFICE));
}

/** @param {unknown} error */
function sentenceOf(error) {
  return error instanceof Problem ? error.message : say("The server gave no answer. Press again: nothing will be done twice.");
}

/** @param {string} sentence */
function complain(sentence) {
  element("problem").textContent = sentence;
  element("problem").hidden = !sentence;
  if (!sentence) element("take-over").hidden = true;
}

// What is shown

function paint() {
  const counter = snapshot && mine(snapshot);
  if (!snapshot) return;
  const standing = mode();
  if (document.body.dataset.mode !== standing) {
    complain("");
    settle();
  }
  document.body.dataset.mode = standing;
  if (!counter) {
    main.hidden = true;
    complain(say("The office has given this counter up."));
    return;
  }
  element("visitor").hidden = standing === "taken";
  paintSession(counter);
  paintTaken(counter, standing);
  paintMain();
  paintActions(counter, standing);
  paintVisitor(snapshot, counter.visitor, standing);
  paintLine(snapshot, lineOf(snapshot, counter), foundBooking);
  paintHeld(snapshot, counter);
  paintLate(snapshot, counter);
  tick();
  void askForVisit(counter.visitor);
}

/** Let nobody press the main key for what it did a moment ago: whatever changed the counter, it has to be seen first. */
function settle() {
  holdBack("main");
  setTimeout(paintMain, DOUBLE_PRESS_MS);
}

/** @param {Counter} counter */
function paintSession(counter) {
  const said = { open: say("Receives visitors"), paused: say("Paused: {reason}", { reason: counter.reason ?? "" }), closed: say("Closed") }[counter.state];
  element("session").textContent = counter.operator ? `${counter.operator} · ${said}` : said;
  element("me").textContent = say("You are {operator}", { operator: remembered("operator") ?? "" });
  document.title = [counter.visitor?.number, inWords(counter.name)].filter(Boolean).join(" · ");
  const demo = /** @type {HTMLElement} */ (document.querySelector(".demo"));
  demo.hidden = !snapshot?.demo;
  demo.textContent = snapshot?.demo ? say("Demonstration: the clock runs at {speed}", { speed: snapshot.demo }) : "";
}

/** @param {Counter} counter @param {Mode} standing */
function paintTaken(counter, standing) {
  element("taken").hidden = standing !== "taken";
  const operator = counter.operator ?? "";
  element("taken-said").textContent = say("{operator} works at this counter", { operator });
  element("be-them").textContent = say("I am {operator}", { operator });
  element("end-theirs").textContent = say("Close the counter for {operator}", { operator });
  element("end-theirs").hidden = counter.visitor !== null;
}

function paintMain() {
  const standing = mode();
  const doing = MAIN[standing];
  main.hidden = !doing;
  main.setAttribute("aria-disabled", String(!counts("main")));
  if (!doing) return;
  const isChained = standing === "serving" && element("finish-calls").checked;
  const label = isChained ? say("Finish, call the next") : say(doing.label);
  main.dataset.long = String(label.length > LONG_LABEL);
  element("main-label").textContent = label;
  element("main-hint").textContent = hint(standing);
}

/** @param {Mode} standing */
function hint(standing) {
  const counter = snapshot && mine(snapshot);
  if (standing === "armed") return say("Whoever comes is called by itself");
  if (standing === "free" && !counter?.waits) return say("Nobody waits: call whoever comes first");
  if (standing === "called") return say("The visitor is at the counter");
  const stop = counter?.visitor?.stops[0];
  return standing === "serving" && stop && snapshot ? say("Goes on to: {service}", { service: nameOf(snapshot.services, stop) }) : "";
}

/** @param {Counter} counter @param {Mode} standing */
function paintActions(counter, standing) {
  const isHere = standing === "called" || standing === "serving";
  offer("disarm", standing === "armed");
  offer("recall", standing === "called", (counter.visitor?.recalls ?? 0) < PLACE.recall_limit);
  offer("no-show", standing === "called");
  offer("otherwise", standing === "serving");
  offer("aside", isHere);
  offer("transfer", isHere);
  offer("undo", isHere || standing === "free" || standing === "armed", undoLeft(counter) > 0);
  offer("rest", standing === "free" || standing === "armed" || standing === "paused");
}

/** @param {string} button @param {boolean} isShown @param {boolean} [isUsable] */
function offer(button, isShown, isUsable = true) {
  const found = element(button);
  found.hidden = !isShown;
  found.disabled = !isUsable;
}

/** @param {Counter} counter */
function undoLeft(counter) {
  return counter.undo_until ? Date.parse(counter.undo_until) - now() : 0;
}

/** @param {Snapshot} state @param {Visitor | null} visitor @param {Mode} standing */
function paintVisitor(state, visitor, standing) {
  const number = element("number");
  if (number.textContent !== (visitor?.number ?? "")) {
    closeVisitorPanels();
    if (visitor) element("said").textContent = `${visitor.number}, ${nameOf(state.services, visitor.service)}`;
  }
  number.textContent = visitor?.number ?? "";
  element("service").textContent = visitor ? nameOf(state.services, visitor.service) : emptyHanded(standing);
  element("marks").replaceChildren(...(visitor ? marks(state, visitor) : []));
  paintCategory(visitor);
  element("story").hidden = !visitor || visit?.ticket.id !== visitor.ticket;
  element("more").hidden = element("story").hidden;
  // Whoever claims a right has a line of its own for it.
  element("why").textContent = !element("story").hidden && visit?.because && !visitor?.category ? whySaid(visit.because) : "";
}

/** @param {Mode} standing */
function emptyHanded(standing) {
  return { closed: say("The counter is closed"), paused: say("The counter is on a pause"), armed: say("Ready for the next visitor") }[/** @type {string} */ (standing)] ?? say("Nobody is at the counter");
}

/** @param {Snapshot} state @param {Visitor} visitor */
function marks(state, visitor) {
  const said = [];
  if (visitor.rank === "booked") said.push(made("li", rankSaid(visitor.rank), `mark ${visitor.rank}`));
  if (visitor.language) said.push(made("li", say("Speaks: {language}", { language: languageName(visitor.language) }), visitor.language === LANGUAGE ? "mark" : "mark foreign"));
  if (visitor.stops.length) said.push(made("li", say("Then: {services}", { services: visitor.stops.map((stop) => nameOf(state.services, stop)).join(", ") }), "mark"));
  return said;
}

/** @param {string} language */
function languageName(language) {
  return new Intl.DisplayNames([LANGUAGE], { type: "language" }).of(language) ?? language;
}

/** @param {Visitor | null} visitor */
function paintCategory(visitor) {
  element("category").hidden = !visitor?.category;
  if (!visitor?.category) return;
  const known = PLACE.categories[visitor.category];
  const name = known ? inWords(known.name) : visitor.category;
  const holds = visitor.rank === "out_of_turn";
  const basis = known ? inWords(known.basis) : "";
  element("category-said").textContent = !holds
    ? say("{category}: the right was found not to hold", { category: name })
    : visitor.category_verified
      ? say("{category}: the document was seen", { category: name })
      : say("{category}. See: {basis}", { category: name, basis });
  element("category").dataset.standing = !holds ? "withdrawn" : visitor.category_verified ? "verified" : "open";
  offer("verify", holds && !visitor.category_verified);
  /** @type {HTMLElement} */ (document.querySelector('[data-panel="withdraw"]')).hidden = !holds;
}

/** @param {Snapshot} state @param {Counter} counter */
function paintHeld(state, counter) {
  const held = state.on_hold.filter((each) => each.counter === counter.id || counter.services.includes(each.service));
  element("held-part").hidden = held.length === 0;
  element("held").replaceChildren(...held.map((each) => heldRow(state, each)));
}

/** @param {Snapshot} state @param {import("./states.js").OnHold} held */
function heldRow(state, held) {
  const row = document.createElement("li");
  const until = held.until ? say("until {time}", { time: clock(held.until, state.zone) }) : held.by === "office" ? say("held by us") : say("at the visitor's wish");
  const back = made("button", say("Bring back"));
  back.setAttribute("aria-label", say("{number}: bring back", { number: held.number }));
  back.addEventListener("click", () => void act(`resume-${held.ticket}`, () => step("resume", undefined, held.ticket)));
  row.append(made("span", held.number, "number"), made("span", until, "quiet"), back);
  return row;
}

/** @param {Snapshot} state @param {Counter} counter */
function paintLate(state, counter) {
  const late = state.late_visitors.filter((each) => each.counter === counter.id || counter.services.includes(each.service));
  element("late-part").hidden = late.length === 0;
  element("late").replaceChildren(...late.map((each) => lateRow(state, each)));
}

/** @param {Snapshot} state @param {import("./states.js").Late} late */
function lateRow(state, late) {
  const row = document.createElement("li");
  const until = late.until ? say("until {time}", { time: clock(late.until, state.zone) }) : "";
  const here = made("button", say("Is here"));
  here.setAttribute("aria-label", say("{number}: is here, back to the line", { number: late.number }));
  here.addEventListener("click", () => void act(`readmit-${late.ticket}`, () => step("readmit", undefined, late.ticket)));
  row.append(made("span", late.number, "number"), made("span", until, "quiet"), here);
  return row;
}

/** @param {string} ticket */
function foundBooking(ticket) {
  void act(`claim-${ticket}`, () => step("verify-claim", undefined, ticket));
}

function paintMute() {
  element("mute").setAttribute("aria-pressed", String(!isMuted()));
  element("mute").textContent = isMuted() ? say("Sound is off") : say("Sound is on");
}

/** Ask for the visit's history when anything about it may have changed. @param {Visitor | null} visitor */
async function askForVisit(visitor) {
  const wanted = visitor ? JSON.stringify(visitor) : "";
  if (wanted === visitAskedFor) return;
  visitAskedFor = wanted;
  if (!visitor) return;
  try {
    const answer = await ask(`${OFFICE}/tickets/${visitor.ticket}`);
    if (visitAskedFor !== wanted || !snapshot) return;
    visit = answer;
    const present = snapshot;
    guarded(() => {
      paintStory(answer, present);
      paintVisitor(present, mine(present)?.visitor ?? null, mode());
    });
  } catch (error) {
    // The work goes on without the history; the next state asks for it again.
    if (visitAskedFor === wanted) visitAskedFor = "";
    console.info("no history", error);
  }
}

/** Move on what only time changes. */
function tick() {
  const counter = snapshot && mine(snapshot);
  if (!snapshot || !counter) return;
  element("clock").textContent = clock(now(), snapshot.zone);
  tickLine(snapshot, lineOf(snapshot, counter));
  tickStanding(counter.visitor);
  tickBoards(counter.visitor);
  callArrival();
  const left = undoLeft(counter);
  element("undo").disabled = left <= 0;
  element("undo").querySelector(".label").textContent = left > 0 ? say("Take back ({seconds} s)", { seconds: Math.ceil(left / 1000) }) : say("Take back");
}

/** @param {Visitor | null} visitor */
function tickStanding(visitor) {
  const standing = element("standing");
  const waited = visit && visit.ticket.id === visitor?.ticket ? visit.ticket.wait_to_call_seconds : null;
  const limit = visit?.ticket.limit_seconds ?? 0;
  standing.dataset.over = String(waited !== null && waited > limit);
  if (!visitor) {
    standing.textContent = "";
    return;
  }
  const said = visitor.state === "called" ? say("Called {time} ago", { time: since(visitor.called_at ?? visitor.state_since) }) : say("Being served for {time}", { time: since(visitor.state_since) });
  const wait = say("waited {waited} of {limit}", { waited: minutes(waited * 1000), limit: minutes(limit * 1000) });
  standing.textContent = waited === null ? said : `${said} · ${wait}`;
}

/** @param {string} instant */
function since(instant) {
  return minutes(now() - Date.parse(instant));
}

/** @param {Visitor | null} visitor */
function tickBoards(visitor) {
  const boards = element("boards");
  if (visitor?.state !== "called" || !visitor.called_at) {
    boards.textContent = "";
    boards.dataset.told = "";
    return;
  }
  const speed = snapshot?.demo ? parseFloat(snapshot.demo) : 1;
  const isLate = (now() - Date.parse(visitor.called_at)) / speed > UNTOLD_MS;
  const [told, sentence] = visitor.spoken_at
    ? ["yes", visitor.shown_at ? say("A board has shown and spoken the call.") : say("A board has spoken the call.")]
    : visitor.shown_at
      ? ["yes", say("A board has shown the call.")]
      : isLate
        ? ["no", say("No board has shown this call. Call the visitor by voice.")]
        : ["", say("The call is on its way to the boards.")];
  if (boards.dataset.told !== told || boards.textContent !== sentence) {
    boards.dataset.told = told;
    boards.textContent = sentence;
    if (told === "no") element("said").textContent = sentence;
  }
}
