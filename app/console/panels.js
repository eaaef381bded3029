// The small windows over the page: why a pause, how it ended, set aside, where to, settings. Each is one choice.

import { now } from "../web/assets/time.js";
import { inWords, say } from "../web/assets/words.js";
import { element, nameOf } from "./states.js";

/**
 * @typedef {object} Desk
 * @property {(button: string, wishes: () => Promise<void>) => Promise<void>} act
 * @property {(name: string, body?: object) => Promise<void>} step
 * @property {(reason: string) => Promise<void>} pause
 * @property {() => Promise<any>} close
 * @property {() => import("./states.js").Snapshot | null} state
 * @property {() => string} counter
 */

const MINUTE_MS = 60_000;

/** Have the panels open, close and wish. @param {Desk} desk */
export function openPanels(desk) {
  for (const opener of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-panel]"))) {
    opener.addEventListener("click", () => open(opener.dataset.panel ?? "", desk));
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => element("main").focus());
  }
  each("data-reason", (reason) => desk.pause(reason));
  each("data-outcome", (outcome) => desk.step("finish", { outcome }));
  each("data-withdraw", (reason) => desk.step("withdraw-category", withdrawal(reason)));
  chosen("close-counter", () => desk.close());
  chosen("return", () => desk.step("return"));
  chosen("hold-office", () => desk.step("hold", { by: "office" }));
  submitted("pause", () => desk.pause(textOf("pause-reason")));
  submitted("withdraw", () => desk.step("withdraw-category", withdrawal(textOf("withdraw-reason"))));
  element("keep-reason").form.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
  submitted("hold", () => desk.step("hold", { by: "visitor", until: inMinutes(element("hold-minutes").valueAsNumber) }));
  submitted("transfer", () => desk.step("transfer", destination()));
  element("to-service").addEventListener("change", () => offerCounters(desk));

  /** @param {string} attribute @param {(value: string) => Promise<void>} wishes */
  function each(attribute, wishes) {
    for (const button of document.querySelectorAll(`[${attribute}]`)) {
      button.addEventListener("click", () => carryOut(button, () => wishes(button.getAttribute(attribute) ?? "")));
    }
  }

  /** @param {string} id @param {() => Promise<void>} wishes */
  function chosen(id, wishes) {
    const button = element(id);
    button.addEventListener("click", () => carryOut(button, wishes));
  }

  /** @param {string} name @param {() => Promise<void>} wishes */
  function submitted(name, wishes) {
    const form = /** @type {HTMLFormElement} */ (document.querySelector(`[data-form="${name}"]`));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      carryOut(form, wishes);
    });
  }

  /** @param {Element} within @param {() => Promise<void>} wishes */
  function carryOut(within, wishes) {
    const dialog = within.closest("dialog");
    dialog?.close();
    void desk.act(dialog?.id ?? "panel", wishes);
  }
}

/** Close what was asked about a visitor who is not at the counter any more. */
export function closeVisitorPanels() {
  for (const id of ["otherwise-panel", "aside-panel", "transfer-panel", "withdraw"]) element(id).close();
}

/** @param {string} id @param {Desk} desk */
function open(id, desk) {
  const dialog = /** @type {HTMLDialogElement} */ (element(id));
  for (const form of dialog.querySelectorAll("form")) form.reset();
  if (id === "transfer-panel") offerServices(desk);
  dialog.showModal();
}

/** @param {Desk} desk */
function offerServices(desk) {
  const state = desk.state();
  const visitor = state?.counters.find((counter) => counter.id === desk.counter())?.visitor;
  if (!state || !visitor) return;
  const served = new Set(state.counters.flatMap((counter) => counter.services));
  const others = state.services.filter((service) => service.id !== visitor.service && served.has(service.id));
  const same = new Option(say("The same at another counter: {service}", { service: nameOf(state.services, visitor.service) }), visitor.service);
  const elsewhere = others.map((service) => new Option(inWords(service.name), service.id));
  element("to-service").replaceChildren(new Option(say("Choose"), ""), ...elsewhere, same);
  offerCounters(desk);
}

/** Counters that serve what was chosen. @param {Desk} desk */
function offerCounters(desk) {
  const service = element("to-service").value;
  const able = desk.state()?.counters.filter((counter) => counter.services.includes(service) && counter.id !== desk.counter()) ?? [];
  const isSame = element("to-service").selectedIndex === element("to-service").options.length - 1;
  // Sent nowhere else, a visitor is sent back to the line, and for that there is another key.
  element("to-counter").required = isSame;
  const any = new Option(isSame ? say("Choose") : say("Any that serves it"), "");
  element("to-counter").replaceChildren(any, ...able.map((counter) => new Option(counterSaid(counter), counter.id)));
}

/** @param {import("./states.js").Counter} counter */
function counterSaid(counter) {
  const name = inWords(counter.name);
  if (counter.state === "open") return counter.operator ? `${name}, ${counter.operator}` : name;
  return counter.state === "paused" ? say("{counter}, on a pause", { counter: name }) : say("{counter}, closed", { counter: name });
}

function destination() {
  const counter = element("to-counter").value;
  return { service: element("to-service").value, ...(counter ? { counter } : {}), come_back: element("come-back").checked };
}

/** Why a right does not hold and, if the visitor stays at the counter, why. @param {string} reason */
function withdrawal(reason) {
  const keep = textOf("keep-reason");
  return { reason, ...(keep ? { keep } : {}) };
}

/** @param {number} minutes */
function inMinutes(minutes) {
  return new Date(now() + minutes * MINUTE_MS).toISOString();
}

/** @param {string} id */
function textOf(id) {
  return element(id).value.trim();
}
