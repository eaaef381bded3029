// What the page was set up with, and what it is about.

/**
 * @typedef {Record<string, string>} Words
 * @typedef {{id: string, name: Words}} Group
 * @typedef {{id: string, letter: string, group: string | null, name: Words, open: boolean, problem: string | null,
 *   reason: string | null, limit_seconds: {walk_in: number, booked: number}}} Service
 * @typedef {{id: string, name: Words, basis: Words}} Category
 * @typedef {{name: Words, hotline: string | null, server_time: string, day: string, receives: boolean, claims: boolean, groups: Group[],
 *   services: Service[], categories: Category[]}} Menu
 * @typedef {{size: number, bits: string}} Code  a QR code, as the server draws it
 * @typedef {{office: string, kiosk: string, printer: string | null, visits: string, idle: number, zone: string,
 *   demo: string | null, languages: Words, words: Record<string, Words>, menu: Menu}} Setup
 */

/**
 * A ticket as the visitor sees it, on the screen and on paper.
 * @typedef {object} Paper
 * @property {string} number
 * @property {Service} service
 * @property {Category | null} category
 * @property {number} issuedAt
 * @property {number} since  when the wait begins
 * @property {number} due
 * @property {number | null} ahead  null when nobody could be asked
 * @property {number} limitMinutes
 * @property {string | null} url
 * @property {Code | null} code
 * @property {boolean} offline
 */

/** @type {Setup} */
export const SETUP = JSON.parse(document.getElementById("setup")?.textContent ?? "{}");
export const API = `/api/v1/offices/${SETUP.office}`;
