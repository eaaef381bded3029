// A visit so far, in words: every fact of it, and why this visitor was next.

import { clock, minutes } from "../web/assets/time.js";
import { mark, say } from "../web/assets/words.js";
import { rankSaid } from "./line.js";
import { element, made, nameOf } from "./states.js";

/** @typedef {import("./states.js").Snapshot} Snapshot */
/** @typedef {{kind: string, at: string, [name: string]: any}} Fact */
/** @typedef {{number: string, rank: string, waited_seconds: number, points: number}} Candidate */
/** @typedef {{rule: string, reason: string | null, chosen: Candidate, others: Candidate[]}} Because */
/** @typedef {{ticket: any, because: Because | null, history: Fact[]}} Visit */

/** @type {Record<string, string>} */
const SAID = {
  Issued: mark("Took a ticket: {service}"),
  Called: mark("Called to {counter}"),
  Recalled: mark("Called again"),
  Started: mark("Service began"),
  Served: mark("Service ended: {outcome}"),
  MovedOn: mark("Service ended: {outcome}; goes on to {service}"),
  Missed: mark("Did not come when called"),
  Absent: mark("Did not come when called, may still come"),
  Readmitted: mark("Came late: back in the line"),
  Returned: mark("Sent back to the line"),
  Resumed: mark("Back in the line"),
  Transferred: mark("Sent on: {service}"),
  Left: mark("The visitor left"),
  Unserved: mark("Not served before closing"),
  Warned: mark("Came near the limit"),
  Breached: mark("The limit was passed"),
  Escalated: mark("Told of the wait past the limit: {role}"),
  Acknowledged: mark("Answered for the wait: {by}"),
  Relieved: mark("The wait past the limit ended"),
  CategoryVerified: mark("The document was seen"),
  CategoryWithdrawn: mark("The right was found not to hold"),
  ClaimVerified: mark("The booking was found"),
  Undone: mark("The last step was taken back"),
};

/** @type {Record<string, string>} */
const OUTCOMES = { done: mark("done"), incomplete: mark("incomplete"), refused: mark("refused") };

/** @type {Record<string, string>} */
const RULES = {
  accumulating_priority: mark("Points grow with the waiting, faster for those who booked. This one had the most: {points}."),
  arrival: mark("First come, first served: this one came before the others."),
  earliest_due: mark("Whose limit is nearest goes first: this one's was."),
  chosen: mark("Chosen by hand: {reason}"),
};

/** Paint a visit. @param {Visit} visit @param {Snapshot} snapshot */
export function paintStory(visit, snapshot) {
  element("history").replaceChildren(...visit.history.map((fact) => line(fact, snapshot)));
  element("because").replaceChildren(...(visit.because ? reasons(visit.because) : []));
}

/** Why this one was next, in a sentence. @param {Because} because */
export function whySaid(because) {
  const isByRight = because.rule !== "chosen" && because.chosen.rank === "out_of_turn";
  if (isByRight) return say("Goes out of turn by right; among those, first come, first served.");
  return say(RULES[because.rule] ?? because.rule, { points: Math.round(because.chosen.points), reason: because.reason ?? "" });
}

/** @param {Because} because */
function reasons(because) {
  const list = document.createElement("ul");
  list.append(...[because.chosen, ...because.others].map(standing));
  const others = because.others.length ? say("At the head of the line then:") : say("Nobody else was at the head of the line.");
  return [made("h2", say("Why this one was next")), made("p", whySaid(because)), made("p", others, "quiet"), ...(because.others.length ? [list] : [])];
}

/** @param {Candidate} candidate */
function standing(candidate) {
  const row = document.createElement("li");
  const values = { rank: rankSaid(candidate.rank), waited: minutes(candidate.waited_seconds * 1000), points: Math.round(candidate.points) };
  row.append(made("span", candidate.number, "number"), made("span", say("{rank}, waited {waited}, points {points}", values)));
  return row;
}

/** @param {Fact} fact @param {Snapshot} snapshot */
function line(fact, snapshot) {
  const row = document.createElement("li");
  row.append(made("time", clock(fact.at, snapshot.zone), "quiet"), made("span", said(fact, snapshot)));
  return row;
}

/** @param {Fact} fact @param {Snapshot} snapshot */
function said(fact, snapshot) {
  if (fact.kind === "Announced") return fact.how === "shown" ? say("Shown on a board: {board}", { board: fact.board }) : say("Spoken by a board: {board}", { board: fact.board });
  if (fact.kind === "Held") return fact.by === "visitor" ? say("Set aside at the visitor's wish") : say("Set aside by the office");
  const to = fact.stop ?? fact.to;
  const sentence = say(SAID[fact.kind] ?? fact.kind, {
    service: nameOf(snapshot.services, to?.service ?? fact.service ?? ""),
    counter: nameOf(snapshot.counters, fact.counter ?? ""),
    outcome: say(OUTCOMES[fact.outcome] ?? ""),
    role: fact.role ?? "",
    by: fact.by ?? "",
  });
  const where = to?.counter ? `, ${nameOf(snapshot.counters, to.counter)}` : "";
  const why = fact.reason ?? fact.remark;
  return sentence + where + (why ? ` (${why})` : "");
}
