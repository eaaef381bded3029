// @ts-check
// Whose number has to be on the glass, in which order, and what of it has room at once.

/**
 * @typedef {import("./board.js").Call} Call
 * @typedef {import("./board.js").Counter} Counter
 */

/** More than this would have somebody look for too long. */
const MOST_PAGES = 3;

/** A call, however often it is told. @param {Call} call */
export function identity({ ticket, at }) {
  return `${ticket} ${at}`;
}

/** The last call of each ticket, the newest first. @param {Call[]} calls @returns {Call[]} */
export function latestOfEach(calls) {
  const byTicket = new Map(calls.map((call) => [call.ticket, call]));
  return [...byTicket.values()].sort((one, other) => other.seq - one.seq);
}

/**
 * The call of everybody who is awaited at one of these counters, the newest first. A hall remembers so many calls, and
 * somebody may be awaited for longer than that.
 * @param {Call[]} calls @param {Counter[]} counters @returns {Call[]}
 */
export function awaited(calls, counters) {
  const known = new Map(calls.map((call) => [call.ticket, call]));
  return counters
    .flatMap(({ id, visitor }) => {
      if (visitor?.state !== "called") return [];
      const { ticket, number, called_at, recalls } = visitor;
      const call = known.get(ticket);
      return [call?.counter === id ? call : { seq: 0, at: called_at ?? "", ticket, number, counter: id, again: recalls > 0, missed: false }];
    })
    .sort((one, other) => other.at.localeCompare(one.at) || other.seq - one.seq);
}

/** So that one's own is found. @param {Call[]} calls @returns {Call[]} */
export function byNumber(calls) {
  return [...calls].sort((one, other) => one.number.localeCompare(other.number, "en", { numeric: true }));
}

/**
 * How many rows a column has, and on how many pages.
 * @param {number} count of calls @param {number} columns @param {number} rows that have room in a column at their usual size
 */
export function pagesOf(count, columns, rows) {
  const usual = Math.max(1, rows);
  const needed = Math.max(usual, Math.ceil(count / (columns * MOST_PAGES)));
  return { rows: needed, pages: Math.max(1, Math.ceil(count / (columns * needed))) };
}

/** What a page is called: by its letters, or by its numbers where a letter goes over two pages. @param {Call[][]} pages @returns {string[]} */
export function namesOf(pages) {
  const ends = pages.map((page) => [page[0].number, page[page.length - 1].number]);
  const isClear = ends.every(([first], place) => place === 0 || letter(ends[place - 1][1]) !== letter(first));
  return ends.map(([first, last]) => {
    const [from, to] = isClear ? [letter(first), letter(last)] : [first, last];
    return from === to ? from : `${from}–${to}`;
  });
}

/** @param {string} number */
function letter(number) {
  return number.match(/^\p{L}/u)?.[0] ?? number;
}
