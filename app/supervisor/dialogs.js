// Asking before something is done: a dialog with a form, whose answer is sent once and whose refusal is said in it.

import { Problem } from "../web/assets/ask.js";
import { mark, say } from "../web/assets/words.js";
import { byId, write } from "./rows.js";

const NOBODY_ANSWERED = mark("The server does not answer. Nothing may have happened; look before you try again.");
const INCOMPLETE = mark("Something is still to be filled in.");

/**
 * @typedef {object} Question
 * @property {string} [title]
 * @property {string} [about]
 * @property {(form: HTMLFormElement) => void} [prepare]
 * @property {(answer: FormData) => Promise<unknown>} carryOut
 */

/** @type {Map<string, Question>} */
const asked = new Map();

/** Ask by the dialog of this id. @param {string} id @param {Question} question */
export function askFirst(id, question) {
  const dialog = /** @type {HTMLDialogElement} */ (byId(id));
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  if (!asked.has(id)) settle(id, dialog, form);
  asked.set(id, question);
  form.reset();
  if (question.title) write(byId(`${id}-title`), question.title);
  write(/** @type {Element} */ (form.querySelector(".about")), question.about ?? "");
  complain(form, null);
  question.prepare?.(form);
  dialog.showModal();
}

/** @param {string} id @param {HTMLDialogElement} dialog @param {HTMLFormElement} form */
function settle(id, dialog, form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = asked.get(id);
    if (question) void answer(dialog, form, question);
  });
  form.querySelector(".leave")?.addEventListener("click", () => dialog.close());
}

/** @param {HTMLDialogElement} dialog @param {HTMLFormElement} form @param {Question} question */
async function answer(dialog, form, question) {
  if (form.dataset.busy) return;
  if (!form.checkValidity()) {
    complain(form, say(INCOMPLETE));
    /** @type {HTMLElement | null} */ (form.querySelector(":invalid:not(fieldset)"))?.focus();
    return;
  }
  form.dataset.busy = "yes";
  try {
    await question.carryOut(new FormData(form));
    dialog.close();
  } catch (trouble) {
    complain(form, sentence(trouble));
  } finally {
    delete form.dataset.busy;
  }
}

/** What is said of a wish that came to nothing. @param {unknown} trouble */
export function sentence(trouble) {
  return trouble instanceof Problem ? trouble.message : say(NOBODY_ANSWERED);
}

/** @param {HTMLFormElement} form @param {string | null} text */
function complain(form, text) {
  const problem = /** @type {HTMLElement} */ (form.querySelector(".problem"));
  problem.hidden = text === null;
  write(problem, text ?? "");
}
