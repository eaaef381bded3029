// The kiosk's dealings with the server: tickets from it while it is there, and numbers of its own while it is not.
//
// A visitor is never kept waiting for a server that is away, and never holds two numbers: what got no answer is
// remembered, and settled when the server is back.

import { Problem, ask, newKey, tell } from "../web/assets/ask.js";
import { now } from "../web/assets/time.js";
import { API, SETUP } from "./setup.js";
import { dayOf } from "./tongue.js";

/** @typedef {import("./store.js").Wish} Wish */
/** @typedef {import("./store.js").Held} Held */
/** @typedef {import("./store.js").Lease} Lease */

/** How long a visitor waits for the server. */
const PATIENCE = { patience: 0, timeout: 2_000 };
const UNHURRIED = { patience: 0, timeout: 10_000 };
const SOON_MS = 2_000;
const LATER_MS = 20_000;
/** A request that is still on its way to a server that has come back takes effect within this time, or never. */
const IN_FLIGHT_MS = 60_000;
/** Nobody waits for an answer for so long. */
const ANSWERED_MS = 10_000;
const LEASES = 2;
const CODES_AT_ONCE = 20;
const CANCELLED = "the kiosk got no answer in time and gave the visitor another number";
/** No service has this name, so the wish is refused, and only a key that was used before says otherwise. */
const NO_SERVICE = "0-no-service";

/** Nobody can give out a ticket now. */
export class NoNumbers extends Error {}

export class Keeper {
  /**
   * @param {import("./store.js").Store | null} store  null where the browser keeps nothing
   * @param {(menu: import("./setup.js").Menu) => void} onMenu
   * @param {() => void} onChange  told when the server goes or comes, or something was settled
   */
  constructor(store, onMenu, onChange) {
    this.store = store;
    this.onMenu = onMenu;
    this.onChange = onChange;
    this.away = false;
    /** Why there are no numbers of its own, in the server's words. @type {string | null} */
    this.trouble = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.atWork = false;
    this.isWanted = false;
  }

  /**
   * A ticket: the server's, or one of the kiosk's own. A Problem when the server refuses, NoNumbers when neither can.
   * @param {Wish} wish
   * @param {string} letter
   * @returns {Promise<{ticket: any} | {held: Held, lease: Lease}>}
   */
  async take(wish, letter) {
    if (!this.away) {
      const ticket = await this.#fromServer(wish);
      if (ticket) return { ticket };
    }
    const given = await this.store?.giveNumber(letter, dayOf(now()), (lease, number) => ({
      key: newKey("offline"),
      lease: lease.id,
      number,
      issued_at: new Date(now()).toISOString(),
      wish,
    }));
    this.soon();
    if (!given) throw new NoNumbers();
    this.onChange();
    return given;
  }

  /** @param {Wish} wish @returns {Promise<any>} null when no answer came in time */
  async #fromServer(wish) {
    const key = newKey("kiosk");
    const asked = { key, at: Date.now(), wish, unanswered: false };
    await this.store?.keepWish(asked);
    try {
      const ticket = await tell(`${API}/tickets`, body(wish), { ...PATIENCE, key });
      await this.store?.forgetWish(key);
      return ticket;
    } catch (error) {
      if (error instanceof Problem && error.status < 500) {
        await this.store?.forgetWish(key);
        throw error;
      }
      await this.store?.keepWish({ ...asked, unanswered: true });
      this.#gone();
      return null;
    }
  }

  /** Look after the server's absence, and after what is left to be told, for as long as the page lives. */
  soon() {
    this.isWanted = true;
    if (this.atWork) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.#work(), 0);
  }

  async #work() {
    this.atWork = true;
    this.isWanted = false;
    let left = true;
    try {
      left = await alone(() => this.#comeBack());
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) this.#gone();
      console.info("the server could not be told everything", error);
    }
    this.atWork = false;
    clearTimeout(this.timer);
    const pause = this.away || left ? SOON_MS : LATER_MS;
    this.timer = setTimeout(() => void this.#work(), this.isWanted && !this.away ? 0 : pause);
  }

  #gone() {
    if (this.away) return;
    this.away = true;
    this.soon();
    this.onChange();
  }

  /** Tell the server everything, and be ready for the next time. Whether something is left for later. */
  async #comeBack() {
    const menu = await ask(`${API}/services`, PATIENCE);
    this.onMenu(menu);
    if (this.away) {
      this.away = false;
      this.onChange();
    }
    if (!this.store) return false;
    const told = await this.#tellOfTickets(this.store);
    const settled = await this.#settleWishes(this.store);
    await this.#lease(this.store, menu.day);
    this.onChange();
    const drawn = await this.#drawCodes(this.store);
    return !told || !settled || !drawn;
  }

  /** @param {import("./store.js").Store} store */
  async #tellOfTickets(store) {
    for (const ticket of await store.tickets()) {
      const { key, lease, number, issued_at, wish } = ticket;
      try {
        await tell(`${API}/kiosks/${SETUP.kiosk}/tickets`, { ...body(wish), lease, number, issued_at }, { ...UNHURRIED, key });
        await store.settle(ticket);
      } catch (error) {
        if (!(error instanceof Problem) || error.status >= 500) throw error;
        // A day that has not opened yet will, and then its line is joined.
        if (error.type === "day-not-open") return false;
        await store.settle(ticket, error.message);
      }
      this.onChange();
    }
    return true;
  }

  /** What was wished and got no answer: the visitor has another number, so a ticket that was issued is given up. */
  async #settleWishes(/** @type {import("./store.js").Store} */ store) {
    let settled = true;
    for (const { key, at, wish, unanswered } of /** @type {import("./store.js").Asked[]} */ (await store.all("wishes"))) {
      // A visitor may still be waiting for this one, here or in another tab; else the page died over it.
      if (!unanswered && Date.now() - at < ANSWERED_MS) {
        settled = false;
        continue;
      }
      const ticket = await issuedAfterAll(key, wish);
      if (ticket) await giveUp(ticket, key);
      else if (Date.now() - at < IN_FLIGHT_MS) {
        settled = false;
        continue;
      }
      await store.forgetWish(key);
    }
    return settled;
  }

  /** @param {import("./store.js").Store} store @param {string} today */
  async #lease(store, today) {
    for (let round = 0; round < 2 * LEASES; round++) {
      const worn = await store.retire(today);
      if (!worn && (await store.leases()).length >= LEASES) return;
      // Under the same key until it is answered, so that no lease is lost on the way.
      const asked = (await store.note("lease")) ?? { key: newKey("lease"), done: worn?.id };
      await store.keepNote("lease", asked);
      try {
        const leased = await tell(`${API}/kiosks/${SETUP.kiosk}/lease`, asked.done ? { done: asked.done } : {}, { ...UNHURRIED, key: asked.key });
        const { lease: id, day, blocks, visits } = leased;
        await store.keepLease({ id, order: Date.now(), day, blocks, visits, next: {}, codes: {}, done: false });
        if (asked.done) await store.forgetLease(asked.done);
        this.trouble = null;
      } catch (error) {
        if (!(error instanceof Problem) || error.status >= 500) throw error;
        this.trouble = error.message;
        await store.forgetNote("lease");
        return;
      }
      await store.forgetNote("lease");
    }
  }

  /** A number without a code is a number: whether all have theirs. @param {import("./store.js").Store} store */
  async #drawCodes(store) {
    try {
      await this.#drawMissing(store);
      return true;
    } catch (error) {
      console.info("the codes of the numbers in stock are not drawn yet", error);
      return false;
    }
  }

  /** @param {import("./store.js").Store} store */
  async #drawMissing(store) {
    for (const lease of await store.leases()) {
      const numbers = Object.keys(lease.visits);
      if (Object.keys(lease.codes).length === numbers.length) continue;
      /** @type {Lease["codes"]} */
      const codes = {};
      for (let start = 0; start < numbers.length; start += CODES_AT_ONCE) {
        const some = numbers.slice(start, start + CODES_AT_ONCE);
        const drawn = await draw(some.map((number) => visitAt(lease.visits[number] ?? "")));
        some.forEach((number, place) => (codes[number] = drawn[place]));
      }
      await store.keepCodes(lease.id, codes);
    }
  }
}

/** The address of a visitor's own page. @param {string} token */
export function visitAt(token) {
  return `${SETUP.visits}/visit/${token}`;
}

/** QR codes of some texts. @param {string[]} texts @returns {Promise<import("./setup.js").Code[]>} */
export async function draw(texts) {
  return (await tell(`/kiosk/${SETUP.office}/codes`, { texts }, PATIENCE)).codes;
}

/** A wish as the server reads it. @param {Wish} wish */
function body(wish) {
  const { category, slot, ...rest } = wish;
  return { ...rest, ...(category ? { category } : {}), ...(slot ? { slot } : {}) };
}

/** The ticket that a key led to, if it led to one. @param {string} key @param {Wish} wish */
async function issuedAfterAll(key, wish) {
  try {
    await tell(`${API}/tickets`, { service: NO_SERVICE }, { ...UNHURRIED, key });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.type === "key-reused") return tell(`${API}/tickets`, body(wish), { ...UNHURRIED, key });
    if (error.status >= 500) throw error;
  }
  return null;
}

/** @param {{id: string}} ticket @param {string} key */
async function giveUp(ticket, key) {
  try {
    await tell(`${API}/tickets/${ticket.id}/cancel`, { reason: CANCELLED }, { ...UNHURRIED, key: `${key}-cancel` });
  } catch (error) {
    // Somebody has called it and found nobody, or the day has closed: it is settled already.
    if (!(error instanceof Problem) || error.status >= 500) throw error;
  }
}

/** One tab at a time, where the browser can tell. @param {() => Promise<boolean>} work @returns {Promise<boolean>} */
async function alone(work) {
  if (!navigator.locks) return work();
  const name = `fifteen-kiosk-${SETUP.office}-${SETUP.kiosk}`;
  return navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? work() : true));
}
