// Choosing a counter: which are free, live, and the operator's name, typed once.

import { banner, listen } from "../web/assets/live.js";
import { say } from "../web/assets/words.js";
import { remember, remembered } from "./remembered.js";
import { element } from "./states.js";

const { office } = JSON.parse(element("place").textContent);
/** @type {HTMLInputElement} */
const name = element("name");

name.value = remembered("operator") ?? "";
name.addEventListener("input", () => {
  remember("operator", name.value.trim());
  element("nameless").hidden = true;
});
element("name-form").addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  if (isNamed()) /** @type {HTMLElement | null} */ (document.querySelector(".counters a"))?.focus();
});
document.querySelector(".counters")?.addEventListener("click", (event) => {
  if (!isNamed()) event.preventDefault();
});
if (!name.value) name.focus();

listen(`/api/v1/offices/${office}/stream`, { state: paint, link: banner(say("The link to the server was lost at {time}. What you see may be old.")) });

function isNamed() {
  const isThere = name.value.trim() !== "";
  element("nameless").hidden = isThere;
  if (!isThere) name.focus();
  return isThere;
}

/** @param {import("./states.js").Snapshot} snapshot */
function paint(snapshot) {
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-counter]"))) {
    const counter = snapshot.counters.find((each) => each.id === link.dataset.counter);
    const state = /** @type {HTMLElement} */ (link.querySelector(".state"));
    link.dataset.state = counter?.operator ? (counter.operator === name.value.trim() ? "mine" : "taken") : "free";
    state.textContent = counter ? standing(counter) : say("The office has given this counter up.");
  }
}

/** @param {import("./states.js").Counter} counter */
function standing(counter) {
  if (!counter.operator) return say("Nobody works here");
  if (counter.operator === name.value.trim()) return say("Yours: go on");
  return counter.state === "paused" ? say("Taken by {operator}, on a pause", { operator: counter.operator }) : say("Taken by {operator}", { operator: counter.operator });
}
