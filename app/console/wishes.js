// What the operator wishes, one wish at a time, each under a key that stays the same until it is answered.

import { newKey, Problem, tell } from "../web/assets/ask.js";

/** A second press of one button within this time is the same press. */
export const DOUBLE_PRESS_MS = 700;
const BROKEN = 500;

/** @type {{address: string, said: string, key: string} | null} */
let unanswered = null;
let underWay = false;
/** @type {Map<string, number>} */
const pressed = new Map();

/** Whether a press of this button counts: no wish is under way, and it is not the second half of a double press. @param {string} button */
export function counts(button) {
  return !underWay && performance.now() - (pressed.get(button) ?? -DOUBLE_PRESS_MS) >= DOUBLE_PRESS_MS;
}

/** Have no press of this button count for a moment. @param {string} button */
export function holdBack(button) {
  pressed.set(button, performance.now());
}

/**
 * Have `wishes` carried out for a press that counts, and nothing else meanwhile.
 * @param {string} button
 * @param {() => Promise<void>} wishes
 */
export async function alone(button, wishes) {
  pressed.set(button, performance.now());
  underWay = true;
  try {
    await wishes();
  } finally {
    underWay = false;
  }
}

/**
 * Send a wish. One that got no answer is sent under its old key when it is wished again.
 * @param {string} address
 * @param {object} [body]
 */
export async function wish(address, body) {
  const said = JSON.stringify(body ?? null);
  const isSame = unanswered?.address === address && unanswered.said === said;
  const key = isSame && unanswered ? unanswered.key : newKey("console");
  unanswered = { address, said, key };
  try {
    const reply = await tell(address, body, { key });
    unanswered = null;
    return reply;
  } catch (error) {
    if (error instanceof Problem && error.status < BROKEN) unanswered = null;
    throw error;
  }
}
