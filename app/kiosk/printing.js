// Paper. A print that fails never costs the ticket: the number is on the screen, and it can be printed again.

import { SETUP } from "./setup.js";
import { inWords, momentOf, say, spoken, timeOf } from "./tongue.js";
import { make, picture } from "./dom.js";

/** @typedef {import("./setup.js").Paper} Paper */

const AGENT_MS = 10_000;
const PIXELS_PER_INCH = 96;
const MM_PER_INCH = 25.4;
const MARGIN_MM = 3;

/** How long the paper is. */
const cut = new CSSStyleSheet();
document.adoptedStyleSheets.push(cut);

/** Why nothing came out of the printer, as far as it says. */
export class Jammed extends Error {}

/** Print a ticket. @param {Paper} paper @param {string | null} hotline */
export async function print(paper, hotline) {
  if (SETUP.printer) await askAgent("/print", slip(paper, hotline));
  else printHere(paper, hotline);
}

/** What the printer says of itself; empty when all is well. @returns {Promise<string>} */
export async function printerTrouble() {
  if (!SETUP.printer) return "";
  try {
    const state = await (await fetch(`${SETUP.printer}/state`, { signal: AbortSignal.timeout(AGENT_MS), cache: "no-store" })).json();
    return state.ready ? "" : String(state.problem?.title ?? state.problem ?? say("The printer is not ready."));
  } catch {
    return say("The print agent does not answer.");
  }
}

/** The lines of the office's code. @param {Paper} paper */
function promise(paper) {
  return [
    say("You wait no longer than {minutes} minutes.", { minutes: paper.limitMinutes }),
    say("Your own page shows who goes first, and why."),
    say("Was it otherwise? Call the hotline."),
  ];
}

/** A ticket as a print agent reads it. @param {Paper} paper @param {string | null} hotline */
function slip(paper, hotline) {
  return {
    language: spoken(),
    office: inWords(SETUP.menu.name),
    number: paper.number,
    service: inWords(paper.service.name),
    issued_at: momentOf(paper.issuedAt),
    ahead: paper.ahead,
    limit_minutes: paper.limitMinutes,
    due: timeOf(paper.due),
    hotline,
    promise: promise(paper),
    url: paper.url,
    issued_offline: paper.offline,
    category: paper.category ? inWords(paper.category.name) : null,
    further: [],
  };
}

/** @param {string} path @param {unknown} body */
async function askAgent(path, body) {
  let reply;
  try {
    reply = await fetch(`${SETUP.printer}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": spoken() },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(AGENT_MS),
    });
  } catch {
    throw new Jammed(say("The print agent does not answer."));
  }
  if (!reply.ok) {
    const problem = await reply.json().catch(() => null);
    throw new Jammed(problem?.title ?? say("The printer is not ready."));
  }
}

/** By the browser, on paper 80 mm wide. @param {Paper} paper @param {string | null} hotline */
function printHere(paper, hotline) {
  const sheet = /** @type {HTMLElement} */ (document.querySelector(".slip"));
  const line = (/** @type {string} */ text, kind = "") => make("p", { class: kind }, text);
  sheet.replaceChildren(
    line(inWords(SETUP.menu.name), "slip-office"),
    line(paper.number, "slip-number"),
    line(inWords(paper.service.name), "slip-service"),
    ...(paper.category ? [line(inWords(paper.category.name))] : []),
    line(momentOf(paper.issuedAt)),
    ...(paper.ahead === null ? [] : [line(say("Ahead of you: {count}", { count: paper.ahead }))]),
    line(say("You will be called no later than {time}", { time: timeOf(paper.due) }), "slip-due"),
    ...promise(paper).map((text) => line(text, "slip-promise")),
    ...(hotline ? [line(say("Hotline: {number}", { number: hotline }))] : []),
    ...(paper.code ? [picture(paper.code, say("Code of your own page"))] : []),
  );
  sheet.hidden = false;
  cutBelow(sheet);
  window.print();
  sheet.hidden = true;
  sheet.replaceChildren();
}

/** Have the paper end where the ticket does: a style can name the width of a roll, and not that its length is open. @param {HTMLElement} sheet */
function cutBelow(sheet) {
  const height = Math.ceil((sheet.getBoundingClientRect().height / PIXELS_PER_INCH) * MM_PER_INCH + 2 * MARGIN_MM) + 1;
  cut.replaceSync(`@page { size: 80mm ${height}mm; margin: ${MARGIN_MM}mm; }`);
}
