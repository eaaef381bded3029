// What a kiosk remembers, whatever becomes of its page or its power: leases, tickets that the server has not been told
// of, wishes that got no answer. In the browser's own database, flushed before a number is shown to anybody.

/**
 * @typedef {{letter: string, series: string, first: number, last: number}} Block
 * @typedef {{id: string, order: number, day: string, blocks: Block[], next: Record<string, number>,
 *   visits: Record<string, string>, codes: Record<string, import("./setup.js").Code>, done: boolean}} Lease
 * @typedef {{service: string, channel: "walk_in" | "booked", category: string | null, slot: string | null, language: string}} Wish
 * @typedef {{order?: number, key: string, lease: string, number: string, issued_at: string, wish: Wish, why?: string}} Held
 * @typedef {{key: string, at: number, wish: Wish, unanswered: boolean}} Asked  a wish on its way, or known to have got no answer
 */

const VERSION = 1;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function told(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

/** The kiosk's memory. @param {string} name @returns {Promise<Store>} */
export async function openStore(name) {
  const request = indexedDB.open(name, VERSION);
  request.onupgradeneeded = () => {
    const database = request.result;
    database.createObjectStore("leases", { keyPath: "id" });
    database.createObjectStore("tickets", { keyPath: "order", autoIncrement: true });
    database.createObjectStore("refused", { keyPath: "order", autoIncrement: true });
    database.createObjectStore("wishes", { keyPath: "key" });
    database.createObjectStore("notes");
  };
  return new Store(await told(request));
}

export class Store {
  /** @param {IDBDatabase} database */
  constructor(database) {
    this.database = database;
  }

  /** @template T @param {string[]} stores @param {(...stores: IDBObjectStore[]) => Promise<T>} work @returns {Promise<T>} */
  async #change(stores, work) {
    const transaction = this.database.transaction(stores, "readwrite", { durability: "strict" });
    const end = finished(transaction);
    end.catch(() => {});
    const result = await work(...stores.map((store) => transaction.objectStore(store)));
    await end;
    return result;
  }

  /** @param {string} store @returns {Promise<any[]>} */
  all(store) {
    return told(this.database.transaction(store).objectStore(store).getAll());
  }

  /** @returns {Promise<Lease[]>} */
  async leases() {
    const leases = await this.all("leases");
    return leases.sort((one, other) => one.order - other.order);
  }

  /** @returns {Promise<Held[]>} tickets the server has not been told of, in the order in which they were given out */
  tickets() {
    return this.all("tickets");
  }

  /** @param {string} name @returns {Promise<any>} */
  note(name) {
    return told(this.database.transaction("notes").objectStore("notes").get(name));
  }

  /** @param {string} name @param {unknown} value */
  keepNote(name, value) {
    return this.#change(["notes"], async (notes) => void notes.put(value, name));
  }

  /** @param {string} name */
  forgetNote(name) {
    return this.#change(["notes"], async (notes) => void notes.delete(name));
  }

  /** @param {Asked} wish */
  keepWish(wish) {
    return this.#change(["wishes"], async (wishes) => void wishes.put(wish));
  }

  /** @param {string} key */
  forgetWish(key) {
    return this.#change(["wishes"], async (wishes) => void wishes.delete(key));
  }

  /** @param {Lease} lease */
  keepLease(lease) {
    return this.#change(["leases"], async (leases) => void leases.put(lease));
  }

  /** @param {string} id */
  forgetLease(id) {
    return this.#change(["leases"], async (leases) => void leases.delete(id));
  }

  /** Codes for a lease's numbers, once they are drawn. @param {string} id @param {Lease["codes"]} codes */
  keepCodes(id, codes) {
    return this.#change(["leases"], async (leases) => {
      /** @type {Lease | undefined} */
      const lease = await told(leases.get(id));
      if (lease) leases.put({ ...lease, codes });
    });
  }

  /**
   * The next number of a series, given out: it and the ticket are one step. Null when no number is left.
   * @param {string} letter
   * @param {string} today  numbers leased today are given before those of another day
   * @param {(lease: Lease, number: string) => Held} ticket
   * @returns {Promise<{held: Held, lease: Lease} | null>}
   */
  giveNumber(letter, today, ticket) {
    return this.#change(["leases", "tickets"], async (leases, tickets) => {
      /** @type {Lease[]} */
      const held = await told(leases.getAll());
      held.sort((one, other) => Number(other.day === today) - Number(one.day === today) || one.order - other.order);
      for (const lease of held) {
        const block = lease.blocks.find((block) => block.letter === letter);
        const serial = block && (lease.next[letter] ?? block.first);
        if (lease.done || !block || !serial || serial > block.last) continue;
        lease.next[letter] = serial + 1;
        leases.put(lease);
        const given = ticket(lease, `${block.series}${String(serial).padStart(3, "0")}`);
        tickets.add(given);
        return { held: given, lease };
      }
      return null;
    });
  }

  /** The server has been told, or would not hear of it. @param {Held} ticket @param {string} [why] */
  settle(ticket, why) {
    return this.#change(["tickets", "refused"], async (tickets, refused) => {
      tickets.delete(/** @type {number} */ (ticket.order));
      if (why !== undefined) refused.put({ ...ticket, why });
    });
  }

  /**
   * A lease to be given back: one that is used or of another day, all of whose tickets the server knows, when there is
   * another to go on with. From now on no number of it is given.
   * @param {string} today
   * @returns {Promise<Lease | null>}
   */
  retire(today) {
    return this.#change(["leases", "tickets"], async (leases, tickets) => {
      /** @type {Lease[]} */
      const held = await told(leases.getAll());
      /** @type {Held[]} */
      const waiting = await told(tickets.getAll());
      const worn = held.find(
        (lease) =>
          lease.done ||
          (held.length > 1 &&
            (lease.day !== today || Object.keys(lease.next).length > 0) &&
            !waiting.some((ticket) => ticket.lease === lease.id)),
      );
      if (!worn) return null;
      leases.put({ ...worn, done: true });
      return worn;
    });
  }
}
