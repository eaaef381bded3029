// What the office's stream tells, as far as the console reads it.

/** @typedef {Record<string, string>} Words */

/**
 * @typedef {object} Visitor
 * @property {string} ticket
 * @property {string} number
 * @property {"called" | "serving"} state
 * @property {string} service
 * @property {string} channel
 * @property {string} rank
 * @property {string | null} category
 * @property {boolean} category_verified
 * @property {string | null} language
 * @property {string[]} stops
 * @property {string} state_since
 * @property {string | null} called_at
 * @property {number} recalls
 * @property {string | null} shown_at
 * @property {string | null} spoken_at
 */

/**
 * @typedef {object} Counter
 * @property {string} id
 * @property {Words} name
 * @property {string[]} services
 * @property {boolean} waits
 * @property {string | null} undo_until
 * @property {"open" | "paused" | "closed"} state
 * @property {string | null} since
 * @property {string | null} operator
 * @property {string | null} reason
 * @property {Visitor | null} visitor
 */

/**
 * @typedef {object} Place
 * @property {string} ticket
 * @property {string} number
 * @property {string} service
 * @property {string | null} counter
 * @property {string} channel
 * @property {string} rank
 * @property {string | null} claim
 * @property {number} waited_seconds
 * @property {string | null} due
 */

/** @typedef {{ticket: string, number: string, service: string, counter: string | null, by: string, until: string | null}} OnHold */
/** @typedef {{ticket: string, number: string, service: string, counter: string | null, until: string | null}} Late */
/** @typedef {{id: string, name: Words, limit_seconds: Record<string, number>}} Service */

/**
 * @typedef {object} Snapshot
 * @property {number} seq
 * @property {string} zone
 * @property {string} server_time
 * @property {string | null} demo
 * @property {Service[]} services
 * @property {Counter[]} counters
 * @property {Place[]} line
 * @property {number} waiting
 * @property {OnHold[]} on_hold
 * @property {Late[]} late_visitors
 */

import { inWords } from "../web/assets/words.js";

/** The name of a service or a counter, or its id when the office has given it up. @param {{id: string, name: Words}[]} among @param {string} id */
export function nameOf(among, id) {
  const found = among.find((each) => each.id === id);
  return found ? inWords(found.name) : id;
}

/** An element of the page. @param {string} id @returns {any} */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/** A new element with a text and a class. @param {string} tag @param {string} [text] @param {string} [kind] */
export function made(tag, text = "", kind = "") {
  const fresh = document.createElement(tag);
  fresh.textContent = text;
  if (kind) fresh.className = kind;
  return fresh;
}
