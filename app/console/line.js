// Who waits for this counter, and how long the nearest of them still has.

import { clock, minutes, now } from "../web/assets/time.js";
import { say } from "../web/assets/words.js";
import { element, made, nameOf } from "./states.js";

/** @typedef {import("./states.js").Snapshot} Snapshot */
/** @typedef {import("./states.js").Counter} Counter */
/** @typedef {import("./states.js").Place} Place */

/** With less than this part of the limit left a visitor is near it. */
const NEAR = 1 / 3;

/** Those in the office's line whom this counter may call. @param {Snapshot} snapshot @param {Counter} counter */
export function lineOf(snapshot, counter) {
  return snapshot.line.filter(
    (place) => counter.services.includes(place.service) && (place.counter === null || place.counter === counter.id),
  );
}

/**
 * Paint the line from a snapshot; `found` is told whose booking was found.
 * @param {Snapshot} snapshot
 * @param {Place[]} line
 * @param {(ticket: string) => void} found
 */
export function paintLine(snapshot, line, found) {
  // A snapshot names only the first of a very long line.
  element("waiting").textContent = line.length ? `${line.length}${snapshot.waiting > snapshot.line.length ? "+" : ""}` : "";
  element("line").replaceChildren(...line.map((place) => row(snapshot, place, found)));
  tickLine(snapshot, line);
}

/** Move the times of the line on. @param {Snapshot} snapshot @param {Place[]} line */
export function tickLine(snapshot, line) {
  const rows = element("line").children;
  line.forEach((place, index) => {
    const [, , , waited, left] = rows[index].children;
    const waits = now() - Date.parse(snapshot.server_time) + place.waited_seconds * 1000;
    waited.textContent = say("waits {time}", { time: minutes(waits) });
    left.textContent = place.due ? leftOf(place.due) : "";
    rows[index].className = urgency(snapshot, place);
  });
  paintNearest(snapshot, line);
}

/** @param {Snapshot} snapshot @param {Place} place @param {(ticket: string) => void} found */
function row(snapshot, place, found) {
  const fresh = document.createElement("li");
  const left = made("strong", "", "left");
  left.title = say("Left until the limit");
  fresh.append(made("span", place.number, "number"), made("span", nameOf(snapshot.services, place.service), "service"), marks(snapshot, place, found), made("span", "", "waited"), left);
  return fresh;
}

/** @param {Snapshot} snapshot @param {Place} place @param {(ticket: string) => void} found */
function marks(snapshot, place, found) {
  const fresh = made("span", "", "marks");
  if (place.rank !== "walk_in") fresh.append(made("span", rankSaid(place.rank), `mark ${place.rank}`));
  if (place.claim) {
    const button = made("button", say("Booking found"), "found");
    button.setAttribute("aria-label", say("{number}: the booking was found", { number: place.number }));
    button.addEventListener("click", () => found(place.ticket));
    fresh.append(made("span", say("Says: booked for {time}", { time: clock(place.claim, snapshot.zone) }), "mark"), button);
  }
  if (place.counter) fresh.append(made("span", say("To this counter"), "mark"));
  return fresh;
}

/** @param {string} rank */
export function rankSaid(rank) {
  return rank === "out_of_turn" ? say("Out of turn") : rank === "booked" ? say("Booked") : say("Not booked");
}

/** @param {Snapshot} snapshot @param {Place[]} line */
function paintNearest(snapshot, line) {
  const nearest = line.filter((place) => place.due).sort((one, other) => dueOf(one) - dueOf(other))[0];
  const card = element("nearest");
  if (!nearest?.due) {
    card.dataset.urgency = "";
    card.replaceChildren(made("p", line.length ? say("No limit is running") : say("Nobody waits for you"), "quiet"));
    return;
  }
  card.dataset.urgency = urgency(snapshot, nearest);
  const left = dueOf(nearest) - now();
  const said = left < 0 ? say("{number} is past the limit by", { number: nearest.number }) : say("{number} reaches the limit in", { number: nearest.number });
  card.replaceChildren(made("p", said), made("p", minutes(left), "countdown"));
}

/** @param {Place} place */
function dueOf(place) {
  return Date.parse(place.due ?? "");
}

/** @param {string} due */
function leftOf(due) {
  const left = Date.parse(due) - now();
  return left < 0 ? `−${minutes(left)}` : minutes(left);
}

/** @param {Snapshot} snapshot @param {Place} place */
function urgency(snapshot, place) {
  if (!place.due) return "";
  const left = dueOf(place) - now();
  const limit = snapshot.services.find((service) => service.id === place.service)?.limit_seconds[place.channel] ?? 0;
  return left < 0 ? "over" : left < limit * 1000 * NEAR ? "near" : "";
}
