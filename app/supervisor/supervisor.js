// @ts-check
// One office live, trouble first, and what a supervisor can do about it.

import { ask, Problem, tell } from "../web/assets/ask.js";
import { guarded } from "../web/assets/faults.js";
import { banner, listen } from "../web/assets/live.js";
import { clock, heard, minutes, now } from "../web/assets/time.js";
import { inWords, mark, say } from "../web/assets/words.js";
import { askFirst } from "./dialogs.js";
import { figure, share } from "./figures.js";
import { draw, inASentence } from "./picture.js";
import { byId, element, keep, part, write } from "./rows.js";
import { live, run, setBar, tick } from "./ticking.js";

const OFFICE = document.querySelector("main")?.dataset.office ?? "";
const API = `/api/v1/offices/${OFFICE}`;
const TITLE = document.title;
const NAME_KEPT_AS = "fifteen.supervisor.name";

/** So many at first: below them are the lines and the counters, which may tell why there are more. */
const NEEDY_SHOWN = 10;
const ATTENTION_PAUSE_MS = 400;
const PICTURE_PAUSE_MS = 4_000;
const REMARKS_PAUSE_MS = 15_000;
/** Where a limit is not the service's own, as after a transfer, its warning comes here. */
const USUAL_WARNING = 2 / 3;

const CAUSES = {
  too_few_counters: mark("Too few counters"),
  staff_absent: mark("Staff absent"),
  many_visitors: mark("Many visitors"),
  long_service: mark("A long service"),
  system_trouble: mark("Trouble with a system"),
  other: mark("Something else"),
};
const STATES = {
  waiting: mark("in line"),
  held: mark("set aside"),
  called: mark("called to {counter}"),
  serving: mark("at {counter}"),
};

/** @type {any} The office as it was last told. */
let office = null;
/** @type {any[]} */
let attention = [];
/** @type {any} */
let waits = null;
let isLive = false;
let showsAll = false;
/** @type {Map<string, string>} Since when counters are free, as far as it was seen. */
const freeSince = new Map();
/** @type {Set<string>} */
let knownOver = new Set();

// What is heard

const link = banner(say("The link to the server is lost. This is how it was at {time}."));

listen(`${API}/stream`, {
  state: (snapshot) => {
    if (office) noteWhoIsFree(office, snapshot);
    office = snapshot;
    heard(snapshot);
    paint();
    lookAtAttention();
  },
  link: (there, lastHeard) => {
    isLive = there;
    live(there);
    link(there, lastHeard);
    paintActions();
  },
});

/** Have something done soon, and again if it is asked for meanwhile. @param {() => Promise<void>} work @param {number} pause */
function atMostEvery(pause, work) {
  let runs = false;
  let wanted = false;
  return async () => {
    wanted = true;
    if (runs) return;
    runs = true;
    while (wanted) {
      wanted = false;
      await work();
      await new Promise((wake) => setTimeout(wake, pause));
    }
    runs = false;
  };
}

const lookAtAttention = atMostEvery(ATTENTION_PAUSE_MS, async () => {
  const problem = byId("attention-problem");
  try {
    attention = (await ask(`${API}/attention`)).tickets;
    problem.hidden = true;
    guarded(paintAttention);
  } catch (trouble) {
    console.info("whose wait needs attention could not be read", trouble);
    problem.hidden = false;
    write(problem, say("This list could not be read anew."));
  }
});

let drawnSeq = -1;
let drawnWidth = 0;

const lookAtWaits = atMostEvery(PICTURE_PAUSE_MS, async () => {
  if (!office || !isLive || (office.seq === drawnSeq && !office.waiting && !office.held)) return;
  try {
    const seq = office.seq;
    waits = await ask(`${API}/waits`);
    drawnSeq = seq;
    guarded(paintPicture);
  } catch (trouble) {
    console.info("the waits could not be read", trouble);
    write(byId("picture-said"), say("The picture could not be read anew."));
  }
});

let remarksAreThere = true;

async function lookAtRemarks() {
  if (!remarksAreThere || !isLive) return;
  try {
    const { remarks } = await ask(`${API}/remarks?limit=20`);
    guarded(() => paintRemarks(remarks));
  } catch (trouble) {
    // A server that keeps no remarks has nothing to show, and that is no trouble.
    if (trouble instanceof Problem && trouble.status === 404) remarksAreThere = false;
  }
}

// What is painted

function paint() {
  const demo = /** @type {HTMLElement} */ (document.querySelector(".demo"));
  demo.hidden = !office.demo;
  write(demo, office.demo ? say("A demonstration: time runs {speed}", { speed: office.demo }) : "");
  write(byId("day"), dayInWords());
  paintFigures();
  paintActions();
  keep(byId("lines"), office.services, (/** @type {any} */ service) => service.id, lineRow, paintLine);
  keep(byId("counters"), office.counters, (/** @type {any} */ counter) => counter.id, counterRow, paintCounter);
  write(byId("line-count"), figure(office.waiting));
  if (/** @type {HTMLDetailsElement} */ (byId("line-details")).open) paintEverybody();
  paintClock();
  tick();
}

function dayInWords() {
  if (!office.day_is_open) return say("The day is closed.");
  return office.receives ? say("The day is open.") : say("The day is open; at this hour no tickets are issued.");
}

function paintFigures() {
  const over = office.services.reduce((/** @type {number} */ sum, /** @type {any} */ service) => sum + service.over_limit, 0);
  write(byId("over"), figure(over));
  byId("over").classList.toggle("bad", over > 0);
  paintDue(byId("next"), office.services.map((/** @type {any} */ service) => service.earliest_due).filter(Boolean).sort()[0] ?? null);
  write(byId("waiting"), figure(office.waiting));
  const open = office.counters.filter((/** @type {any} */ counter) => counter.state === "open").length;
  write(byId("at-work"), say("{some} of {all}", { some: open, all: office.counters.length }));
  for (const channel of ["walk_in", "booked"]) {
    const kept = office.kept_today[channel];
    write(byId(`kept-${channel}`), share(kept));
    write(byId(`late-${channel}`), kept.breached ? say("past the limit {number}", { number: kept.breached }) : "");
  }
  const { count, average } = office.ratings_today;
  write(byId("ratings"), count ? say("{average} of 5 ({count})", { average: figure(average), count }) : "–");
}

/** @param {HTMLElement} where @param {string | null} due */
function paintDue(where, due) {
  if (due) where.dataset.due = due;
  else {
    delete where.dataset.due;
    write(where, "–");
  }
}

function paintClock() {
  if (office && isLive) write(byId("clock"), clock(now(), office.zone));
}

function paintActions() {
  if (!office) return;
  const closed = office.services.filter((/** @type {any} */ service) => service.closed_because !== null);
  show("stop-all", closed.length < office.services.length);
  show("start-all", closed.length > 0);
  show("open-day", !office.day_is_open);
  show("close-day", office.day_is_open);
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("#lines button, #attention button, #line button"))) {
    button.disabled = !isLive;
  }
}

/** @param {string} id @param {boolean} isThere */
function show(id, isThere) {
  const button = /** @type {HTMLButtonElement} */ (byId(id));
  button.hidden = !isThere;
  button.disabled = !isLive;
}

// Lines

/** @param {any} service */
function lineRow(service) {
  const button = element("button", { type: "button", class: "act", "aria-haspopup": "dialog" });
  button.addEventListener("click", () => openOrClose(service.id));
  return element(
    "li",
    { class: "line" },
    element("span", { class: "letter number", "aria-hidden": "true" }),
    element("div", { class: "what" }, element("strong", { class: "name" }), element("span", { class: "count" }), element("span", { class: "closed warn" })),
    button,
    element(
      "div",
      { class: "wait" },
      element("span", { class: "bar", "aria-hidden": "true" }),
      element("span", { class: "said" }, element("span", { class: "waited" }), element("span", { class: "of quiet" }), element("span", { class: "due" })),
    ),
  );
}

/** @param {HTMLElement} row @param {any} service */
function paintLine(row, service) {
  row.classList.toggle("over-limit", service.over_limit > 0);
  row.classList.toggle("near-limit", !service.over_limit && service.warned > 0);
  write(part(row, "letter"), service.letter);
  write(part(row, "name"), inWords(service.name));
  write(part(row, "closed"), service.closed_because === null ? "" : say("No tickets: {reason}", { reason: service.closed_because }));
  write(part(row, "count"), say("waiting {number}", { number: service.waiting }));
  paintWait(row, service);
  const button = part(row, "act");
  write(button, service.closed_because === null ? say("Close it") : say("Open it"));
  const name = { service: inWords(service.name) };
  button.setAttribute("aria-label", service.closed_because === null ? say("Close: {service}", name) : say("Open: {service}", name));
}

/** @param {HTMLElement} row @param {any} service */
function paintWait(row, service) {
  const wait = tightest(service);
  setBar(part(row, "bar"), wait);
  const waited = part(row, "waited");
  if (!wait) {
    delete waited.dataset.since;
    write(waited, say("nobody waits"));
    write(part(row, "of"), "");
    delete part(row, "due").dataset.due;
    write(part(row, "due"), "");
    return;
  }
  waited.dataset.since = new Date(wait.due - wait.limit).toISOString();
  write(part(row, "of"), say("of {limit}", { limit: minutes(wait.limit) }));
  part(row, "due").dataset.due = new Date(wait.due).toISOString();
}

/** Whoever in a line comes to a limit first, or is past it longest. @param {any} service */
function tightest(service) {
  if (!service.earliest_due) return null;
  const due = Date.parse(service.earliest_due);
  const place = office.line.find((/** @type {any} */ place) => place.service === service.id && place.due === service.earliest_due);
  const channel = place?.channel ?? "walk_in";
  // What a ticket was promised is what it has waited and what is left; a transfer takes the promise of its first service along.
  const promised = place ? 1000 * Math.ceil(place.waited_seconds + (due - Date.parse(office.server_time)) / 1000 - 0.01) : 0;
  const usual = 1000 * service.limit_seconds[channel];
  const limit = promised > 0 && place.waited_seconds > 0 ? promised : usual;
  return { due, limit, warning: limit === usual ? 1000 * service.warning_seconds[channel] : limit * USUAL_WARNING };
}

// Counters

function counterRow() {
  return element(
    "li",
    { class: "counter" },
    element("strong", { class: "name" }),
    element("span", { class: "doing" }),
    element("span", { class: "since number" }),
    element("span", { class: "whom" }),
    element("span", { class: "operator quiet" }),
  );
}

/** @param {HTMLElement} row @param {any} counter */
function paintCounter(row, counter) {
  const { visitor } = counter;
  const isIdle = counter.state === "open" && !visitor && counter.waits;
  row.dataset.state = visitor ? visitor.state : counter.state;
  row.classList.toggle("near-limit", isIdle);
  write(part(row, "name"), inWords(counter.name));
  write(part(row, "doing"), doing(counter, isIdle));
  const since = sinceOf(counter);
  if (since) part(row, "since").dataset.since = since;
  else {
    delete part(row, "since").dataset.since;
    write(part(row, "since"), "");
  }
  write(part(row, "whom"), visitor ? `${visitor.number} · ${serviceName(visitor.service)}` : "");
  write(part(row, "operator"), counter.operator ?? "");
}

/** Since when a counter does what it does; null where nobody has seen it begin. @param {any} counter @returns {string | null} */
function sinceOf(counter) {
  if (counter.state === "open" && !counter.visitor) return freeSince.get(counter.id) ?? null;
  freeSince.delete(counter.id);
  return counter.visitor ? counter.visitor.state_since : counter.state === "paused" ? counter.since : null;
}

/** Remember whom the last state saw leave. @param {any} before @param {any} after */
function noteWhoIsFree(before, after) {
  for (const counter of after.counters) {
    const was = before.counters.find((/** @type {any} */ each) => each.id === counter.id);
    if (was && !isFree(was) && isFree(counter)) freeSince.set(counter.id, after.server_time);
  }
}

/** @param {any} counter @param {boolean} isIdle */
function doing(counter, isIdle) {
  if (counter.visitor) return counter.visitor.state === "serving" ? say("serving") : say("calling");
  if (counter.state === "paused") return counter.reason ? say("paused: {reason}", { reason: counter.reason }) : say("paused");
  if (counter.state === "closed") return say("closed");
  return isIdle ? say("free while people wait") : say("free");
}

// Who needs attention

function paintAttention() {
  const shown = showsAll ? attention : attention.slice(0, NEEDY_SHOWN);
  const all = byId("all-needy");
  all.hidden = shown.length === attention.length;
  write(all, say("Show all: {number}", { number: attention.length }));
  keep(byId("attention"), shown, (ticket) => ticket.ticket, attentionRow, paintNeedy);
  byId("nobody-near").hidden = attention.length > 0;
  const over = attention.filter((ticket) => ticket.over_limit_since);
  const unanswered = over.filter((ticket) => !ticket.acknowledged).length;
  document.title = unanswered ? `(${unanswered}) ${TITLE}` : TITLE;
  const fresh = over.filter((ticket) => !knownOver.has(ticket.ticket)).map((ticket) => ticket.number);
  knownOver = new Set(over.map((ticket) => ticket.ticket));
  if (fresh.length) write(byId("said"), say("Past the limit: {numbers}", { numbers: fresh.join(", ") }));
  paintActions();
  tick();
}

byId("all-needy").addEventListener("click", () => {
  showsAll = true;
  const next = byId("attention").children.length;
  paintAttention();
  /** @type {HTMLElement | null} */ (byId("attention").children[next]?.querySelector("button:not([hidden])"))?.focus();
});

/** @param {any} ticket */
function attentionRow(ticket) {
  const answer = element("button", { type: "button", class: "acknowledge main", "aria-haspopup": "dialog" });
  answer.addEventListener("click", () => acknowledge(ticket.ticket));
  const call = element("button", { type: "button", class: "call", "aria-haspopup": "dialog" });
  call.addEventListener("click", () => callChosen(ticket.ticket, ticket.number, ticket.service));
  return element(
    "li",
    { class: "needy" },
    element("span", { class: "number" }),
    element("div", { class: "what" }, element("span", { class: "service" }), element("span", { class: "where quiet" })),
    element("strong", { class: "due" }),
    element("span", { class: "answered" }),
    element("span", { class: "buttons" }, answer, call),
  );
}

/** @param {HTMLElement} row @param {any} ticket */
function paintNeedy(row, ticket) {
  row.classList.toggle("over-limit", ticket.over_limit);
  row.classList.toggle("near-limit", !ticket.over_limit);
  row.classList.toggle("answered-for", ticket.acknowledged !== null);
  write(part(row, "number"), ticket.number);
  write(part(row, "service"), serviceName(ticket.service));
  write(part(row, "where"), `${channelName(ticket.channel)} · ${whereabouts(ticket)}`);
  const due = part(row, "due");
  paintDue(due, ticket.due);
  if (!ticket.due) write(due, say("waited {time}", { time: minutes(1000 * ticket.waited_seconds) }));
  const said = ticket.acknowledged;
  write(part(row, "answered"), said ? [say("{name}: {cause}", { name: said.by, cause: causeName(said.cause) }), said.remark].filter(Boolean).join(" · ") : "");
  const answer = part(row, "acknowledge");
  answer.hidden = !ticket.over_limit_since;
  answer.classList.toggle("main", !said);
  write(answer, said ? say("Answer anew") : say("Acknowledge"));
  answer.setAttribute("aria-label", `${answer.textContent}: ${ticket.number}`);
  const call = part(row, "call");
  call.hidden = ticket.state !== "waiting";
  write(call, say("Call…"));
  call.setAttribute("aria-label", say("Call {number} out of the order", { number: ticket.number }));
}

/** @param {any} ticket */
function whereabouts(ticket) {
  const state = /** @type {keyof typeof STATES} */ (ticket.state);
  return say(STATES[state] ?? ticket.state, { counter: counterName(ticket.counter) });
}

/** @param {string} cause */
function causeName(cause) {
  return say(CAUSES[/** @type {keyof typeof CAUSES} */ (cause)] ?? cause);
}

/** @param {string} channel */
function channelName(channel) {
  return channel === "booked" ? say("booked") : say("walk-in");
}

/** @param {string} id */
function serviceName(id) {
  const service = office?.services.find((/** @type {any} */ each) => each.id === id);
  return service ? inWords(service.name) : id;
}

/** @param {string | null} id */
function counterName(id) {
  const counter = office?.counters.find((/** @type {any} */ each) => each.id === id);
  return counter ? inWords(counter.name) : id ?? "";
}

// Everybody in line

function paintEverybody() {
  keep(byId("line"), office.line, (/** @type {any} */ place) => place.ticket, placeRow, paintPlace);
  paintActions();
}

/** @param {any} place */
function placeRow(place) {
  const call = element("button", { type: "button", class: "call", "aria-haspopup": "dialog" }, say("Call…"));
  call.setAttribute("aria-label", say("Call {number} out of the order", { number: place.number }));
  call.addEventListener("click", () => callChosen(place.ticket, place.number, place.service));
  return element(
    "li",
    { class: "place" },
    element("span", { class: "number" }, place.number),
    element("div", { class: "what" }, element("span", { class: "service" }), element("span", { class: "where quiet" })),
    element("span", { class: "due" }),
    call,
  );
}

/** @param {HTMLElement} row @param {any} place */
function paintPlace(row, place) {
  row.classList.toggle("over-limit", place.over_limit);
  write(part(row, "service"), serviceName(place.service));
  write(part(row, "where"), place.rank === "out_of_turn" ? say("out of turn") : channelName(place.channel));
  paintDue(part(row, "due"), place.due);
}

byId("line-details").addEventListener("toggle", () => office && (paintEverybody(), tick()));

// The picture of the day

function paintPicture() {
  if (!waits || !office) return;
  draw(byId("picture"), waits.waits, { zone: office.zone, until: Math.max(now(), 0) });
  write(byId("picture-said"), inASentence(waits.waits) + (waits.left_out ? ` ${say("The earliest are left out.")}` : ""));
  const breached = waits.waits.filter((/** @type {any} */ wait) => wait.breached).reverse();
  keep(byId("breached"), breached, (/** @type {any} */ wait) => wait.ticket, breachedRow, paintBreached);
}

function breachedRow() {
  return element("tr", {}, ...["ticket", "service", "channel", "start", "waited", "limit"].map((name) => element("td", { class: name })));
}

/** @param {HTMLElement} row @param {any} wait */
function paintBreached(row, wait) {
  write(part(row, "ticket"), wait.number);
  write(part(row, "service"), serviceName(wait.service));
  write(part(row, "channel"), channelName(wait.channel));
  write(part(row, "start"), clock(wait.clock_start, office.zone));
  write(part(row, "waited"), minutes(1000 * wait.waited_seconds));
  write(part(row, "limit"), minutes(1000 * wait.limit_seconds));
}

/** @param {any[]} remarks */
function paintRemarks(remarks) {
  byId("remarks-card").hidden = !remarks.length;
  keep(byId("remarks"), remarks, (remark) => String(remark.seq), remarkRow, paintRemark);
}

function remarkRow() {
  return element("li", {}, element("span", { class: "kind" }), element("span", { class: "text" }), element("span", { class: "when quiet" }));
}

/** @param {HTMLElement} row @param {any} remark */
function paintRemark(row, remark) {
  row.classList.toggle("over-limit", remark.kind === "complaint");
  write(part(row, "kind"), remark.kind === "complaint" ? say("Complaint") : say("Remark"));
  write(part(row, "text"), remark.text);
  write(part(row, "when"), `${remark.ticket.split("-").pop()} · ${clock(remark.at, office?.zone ?? "UTC")}`);
}

// What can be done

/** @param {string} ticket */
function acknowledge(ticket) {
  const found = attention.find((each) => each.ticket === ticket);
  if (!found) return;
  askFirst("acknowledge", {
    title: say("{number}: answer for the wait", { number: found.number }),
    about: `${serviceName(found.service)} · ${channelName(found.channel)} · ${whereabouts(found)}`,
    prepare: (form) => {
      const by = /** @type {HTMLInputElement} */ (form.elements.namedItem("by"));
      by.value = remembered();
      const first = by.value ? form.querySelector('input[name="cause"]') : by;
      /** @type {HTMLElement | null} */ (first)?.setAttribute("autofocus", "");
      if (by.value) by.removeAttribute("autofocus");
    },
    carryOut: async (answer) => {
      const by = String(answer.get("by")).trim();
      const remark = String(answer.get("remark")).trim();
      await tell(`${API}/tickets/${ticket}/acknowledge`, { by, cause: answer.get("cause"), ...(remark ? { remark } : {}) });
      remember(by);
      void lookAtAttention();
    },
  });
}

/** @param {string} id */
function openOrClose(id) {
  const service = office.services.find((/** @type {any} */ each) => each.id === id);
  if (!service) return;
  if (service.closed_because !== null) {
    askToStart([service]);
    return;
  }
  askFirst("close-service", {
    title: say("Close: {service}", { service: inWords(service.name) }),
    about: say("No more tickets are issued for it."),
    carryOut: (answer) => tell(`${API}/services/${id}/close`, { reason: reasonOf(answer) }),
  });
}

byId("stop-all").addEventListener("click", () => {
  askFirst("stop-issuing", {
    about: say("No more tickets are issued in this office until you start again."),
    carryOut: async (answer) => {
      for (const service of office.services) {
        if (service.closed_because === null) await tell(`${API}/services/${service.id}/close`, { reason: reasonOf(answer) });
      }
    },
  });
});

byId("start-all").addEventListener("click", () => {
  askToStart(office.services.filter((/** @type {any} */ service) => service.closed_because !== null));
});

/** @param {any[]} closed */
function askToStart(closed) {
  askFirst("start-issuing", {
    prepare: () => {
      const choices = byId("closed-services");
      choices.replaceChildren(
        /** @type {Element} */ (choices.querySelector("legend")),
        ...closed.map((service) =>
          element(
            "label",
            { class: "choice" },
            element("input", { type: "checkbox", name: "service", value: service.id, checked: "" }),
            element("span", {}, inWords(service.name), element("small", { class: "quiet" }, service.closed_because)),
          ),
        ),
      );
    },
    carryOut: async (answer) => {
      for (const service of answer.getAll("service")) await tell(`${API}/services/${service}/open`);
    },
  });
}

/** @param {string} ticket @param {string} number @param {string} service */
function callChosen(ticket, number, service) {
  askFirst("call-chosen", {
    title: say("Call {number} out of the order", { number }),
    about: serviceName(service),
    prepare: (form) => {
      const choice = /** @type {HTMLSelectElement} */ (form.elements.namedItem("counter"));
      const able = office.counters.filter((/** @type {any} */ counter) => counter.services.includes(service));
      // A counter that is free now comes first; the others are there too, for whoever is about to be.
      able.sort((/** @type {any} */ one, /** @type {any} */ other) => Number(isFree(other)) - Number(isFree(one)));
      choice.replaceChildren(...able.map((/** @type {any} */ counter) => element("option", { value: counter.id }, `${inWords(counter.name)} – ${doing(counter, false)}`)));
    },
    carryOut: (answer) => tell(`${API}/tickets/${ticket}/call`, { counter: answer.get("counter"), reason: reasonOf(answer) }),
  });
}

/** @param {any} counter */
function isFree(counter) {
  return counter.state === "open" && !counter.visitor;
}

byId("open-day").addEventListener("click", () => askFirst("day-opens", { carryOut: () => tell(`${API}/open-day`) }));

byId("close-day").addEventListener("click", () => {
  askFirst("day-closes", {
    about: say("Waiting now: {waiting}, set aside: {held}.", { waiting: office.waiting, held: office.held }),
    carryOut: () => tell(`${API}/close-day`),
  });
});

/** @param {FormData} answer */
function reasonOf(answer) {
  return String(answer.get("reason")).trim();
}

function remembered() {
  try {
    return localStorage.getItem(NAME_KEPT_AS) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(NAME_KEPT_AS, name);
  } catch {
    // A browser that keeps nothing asks again.
  }
}

run();
setInterval(paintClock, 1_000);
setInterval(() => void lookAtWaits(), 1_000);
setInterval(() => void lookAtRemarks(), REMARKS_PAUSE_MS);
new ResizeObserver(() => {
  // Drawing changes the height, which is no reason to draw again.
  if (byId("picture").clientWidth === drawnWidth) return;
  drawnWidth = byId("picture").clientWidth;
  paintPicture();
}).observe(byId("picture"));
