// A visit as the server tells it to its visitor, in plain words.

import { clock } from "../web/assets/time.js";
import { inWords, mark, say } from "../web/assets/words.js";

/** @typedef {{id: string, name: Record<string, string>}} Named */
/**
 * @typedef {object} Step
 * @property {number} seq
 * @property {string} at
 * @property {string} what
 * @property {Named | null} counter
 * @property {Named | null} service
 * @property {string | null} until
 * @property {string} hash
 */
/**
 * @typedef {object} Visit
 * @property {{name: Record<string, string>, zone: string}} office
 * @property {number} seq
 * @property {string} server_time
 * @property {string | null} demo
 * @property {string} number
 * @property {Named} service
 * @property {"waiting" | "called" | "serving" | "held" | "late" | "served" | "missed" | "left" | "unserved"} state
 * @property {string} clock_start
 * @property {number} limit_seconds
 * @property {number} waited_seconds
 * @property {string | null} due
 * @property {string | null} over_limit_since
 * @property {number | null} ahead
 * @property {string | null} expected_at
 * @property {Named | null} counter
 * @property {string | null} called_at
 * @property {"office" | "visitor" | null} held_by
 * @property {string | null} held_until
 * @property {string | null} late_until
 * @property {string | null} claim
 * @property {number | null} stars
 * @property {{leave: boolean, more_time: {seconds: number, left: number} | null, back: boolean, here: boolean, rate: boolean}} may
 * @property {{number: string, at: string, why: string}[]} passed_by
 * @property {Step[]} timeline
 */

/** Whole minutes of a span. @param {number} seconds */
export function minutes(seconds) {
  return Math.floor(seconds / 60);
}

/** How the visit stands, in a few words. @param {Visit} visit @param {number} now @returns {string} */
export function headline(visit, now) {
  switch (visit.state) {
    case "waiting":
      if (isEarly(visit, now)) return say("You are booked for {time}", { time: clock(visit.clock_start, visit.office.zone) });
      return visit.ahead === 0 ? say("You are next") : say("Ahead of you: {count}", { count: visit.ahead ?? "–" });
    case "held":
      return visit.held_until
        ? say("Your place is kept until {time}", { time: clock(visit.held_until, visit.office.zone) })
        : say("Your place is kept");
    case "late":
      return say("You were called and did not come. Come by {time}, and you wait on from where you were.", {
        time: visit.late_until ? clock(visit.late_until, visit.office.zone) : "–",
      });
    case "called":
      return say("It is your turn. Please go to:");
    case "serving":
      return say("You are being served at:");
    case "served":
      return say("Your visit is over. Thank you for coming!");
    case "missed":
      return say("You were called and did not come. Please ask the staff, or take a new ticket.");
    case "left":
      return say("You have left the line");
    case "unserved":
      return say("The office closed before you were called. We are sorry; this is on record.");
  }
}

/** When the call comes, as far as anybody can say. @param {Visit} visit @returns {string} */
export function when(visit) {
  if (visit.state !== "waiting" || !visit.due || visit.over_limit_since) return "";
  const due = clock(visit.due, visit.office.zone);
  if (!visit.expected_at) return say("No later than {due}", { due });
  const time = clock(visit.expected_at, visit.office.zone);
  return visit.expected_at <= visit.due
    ? say("About {time}, no later than {due}", { time, due })
    : say("About {time} as things go. We promised no later than {due}.", { time, due });
}

/** What else there is to know now. @param {Visit} visit @param {number} now @returns {string} */
export function note(visit, now) {
  if (visit.state === "waiting" && isEarly(visit, now)) return say("Your waiting counts from then on.");
  if (visit.state === "waiting" && visit.claim) return say("Your booking has not been found yet. Please show it to the staff.");
  if (visit.state !== "held") return "";
  return visit.held_by === "visitor"
    ? say("The clock stands meanwhile. You have waited {waited} of {limit} minutes, and that counts.", {
        waited: minutes(visit.waited_seconds),
        limit: minutes(visit.limit_seconds),
      })
    : say("The office has set your ticket aside for a while. Your waiting goes on counting.");
}

/** That the promise is broken. @param {Visit} visit @returns {string} */
export function overLimit(visit) {
  if (!visit.over_limit_since) return "";
  const values = { limit: minutes(visit.limit_seconds), time: clock(visit.over_limit_since, visit.office.zone) };
  return visit.state === "waiting" || visit.state === "held"
    ? say("You have been waiting longer than the promised {limit} minutes: the time was up at {time}. We are sorry. This is on record and stays there.", values)
    : say("You waited longer than the promised {limit} minutes: the time was up at {time}. This is on record and stays there.", values);
}

/** What was waited, by the server's clock. @param {Visit} visit @param {number} now @returns {number} seconds */
export function waited(visit, now) {
  const runs = visit.due !== null && (visit.state === "waiting" || visit.state === "held");
  if (!runs) return visit.waited_seconds;
  return Math.max(0, visit.limit_seconds - (Date.parse(visit.due ?? "") - now) / 1000);
}

/** The same in words. @param {boolean} isOver @param {boolean} isLate @param {{waited: number, limit: number}} values */
export function waitedWords(isOver, isLate, values) {
  if (isOver) return say("You waited {waited} minutes; at most {limit} were promised", values);
  if (isLate) return say("You have waited {waited} minutes; at most {limit} were promised", values);
  return say("You have waited {waited} of the {limit} minutes promised", values);
}

const WHY = {
  out_of_turn: mark("has a right by law to go out of turn."),
  booked: mark("had booked a time, and that time had come."),
  chosen: mark("was called by choice of the staff; the reason is on record."),
  while_away: mark("was called while your ticket was set aside."),
  rule: mark("came before you by the order of this office; the reckoning is on record."),
};

/** Why a number went first. @param {string} why */
export function reason(why) {
  return say(WHY[/** @type {keyof typeof WHY} */ (why)] ?? WHY.rule);
}

const STEPS = {
  issued: mark("You took the ticket: {service}"),
  called: mark("You were called: {counter}"),
  called_again: mark("You were called once more"),
  shown: mark("The board showed your number"),
  spoken: mark("Your number was announced aloud"),
  started: mark("Your service began"),
  served: mark("Your service ended"),
  moved_on: mark("Service ended; next you wait for: {service}"),
  missed: mark("You were called and did not come"),
  absent: mark("You were called and did not come; your place was kept until {until}"),
  readmitted: mark("You came late and are in the line again"),
  claim_verified: mark("Your booking was found"),
  returned: mark("You are back in the line; the waiting goes on counting"),
  stepped_aside: mark("You stepped aside until {until}; the clock stood"),
  held: mark("The office set your ticket aside; the waiting went on counting"),
  resumed: mark("You are in the line again"),
  transferred: mark("You were sent on: {service}"),
  left: mark("You left the line"),
  unserved: mark("The office closed before you were called"),
  over_limit: mark("The promised time was up while you waited"),
  answered_for: mark("The office answered for the long wait"),
  category_verified: mark("Your right to go out of turn was confirmed"),
  category_withdrawn: mark("The right to go out of turn was not confirmed"),
  rated: mark("You rated the visit"),
  taken_back: mark("The last step was taken back: {counter}"),
};

/** A step of the visit. @param {Step} step @param {string} zone */
export function story(step, zone) {
  return say(STEPS[/** @type {keyof typeof STEPS} */ (step.what)] ?? step.what, {
    service: step.service ? inWords(step.service.name) : "",
    counter: step.counter ? inWords(step.counter.name) : "",
    until: step.until ? clock(step.until, zone) : "–",
  });
}

/** @param {Visit} visit @param {number} now */
function isEarly(visit, now) {
  return Date.parse(visit.clock_start) > now;
}
