// Asking the server for something: once, whatever the network does.

/** Replies that are no answer: the same request under the same key may be made again. */
const REPEATED = new Set([429, 502, 503, 504]);
const PAUSES_MS = [200, 500, 1_000, 2_000];

/** A refusal as the server says it, in the page's language. */
export class Problem extends Error {
  /** @param {{type: string, title: string, status: number}} body */
  constructor(body) {
    super(body.title);
    this.type = body.type.replace("/problems/", "");
    this.status = body.status;
    /** @type {any} */
    this.body = body;
  }
}

/** Nobody answered, however often it was asked. */
export class Silence extends Error {}

/** A key for one wish, however often it is sent. @param {string} what */
export function newKey(what) {
  // randomUUID is there in secure contexts alone, and a hall's network may be a plain one.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `${what}-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** What this browser's keys belong to, also when its address changes; nothing where nothing can be kept. */
function device() {
  try {
    const kept = localStorage.getItem("fifteen-device") ?? newKey("device");
    localStorage.setItem("fifteen-device", kept);
    return kept;
  } catch {
    return null;
  }
}

/**
 * Write something. The reply's body, or null where there is none; a Problem when it is refused.
 * @param {string} address
 * @param {unknown} [body]
 * @param {{key?: string, patience?: number, timeout?: number}} [options] `patience` is how many attempts may get no answer,
 *   `timeout` how many milliseconds each may take
 * @returns {Promise<any>}
 */
export async function tell(address, body, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { "Idempotency-Key": options.key ?? newKey("page"), "Accept-Language": document.documentElement.lang };
  const own = device();
  if (own) headers["Fifteen-Device"] = own;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return surely(address, { method: "POST", headers, body: body === undefined ? undefined : JSON.stringify(body) }, options);
}

/** Read something. @param {string} address @param {{patience?: number, timeout?: number}} [options] @returns {Promise<any>} */
export async function ask(address, options = {}) {
  return surely(address, { headers: { "Accept-Language": document.documentElement.lang }, cache: "no-store" }, options);
}

/** @param {string} address @param {RequestInit} request @param {{patience?: number, timeout?: number}} options @returns {Promise<any>} */
async function surely(address, request, { patience = PAUSES_MS.length, timeout = 10_000 }) {
  for (let attempt = 0; ; attempt++) {
    try {
      const reply = await fetch(address, { ...request, signal: AbortSignal.timeout(timeout) });
      if (!REPEATED.has(reply.status)) return await read(reply);
    } catch (error) {
      if (error instanceof Problem) throw error;
    }
    if (attempt >= patience) throw new Silence(address);
    await new Promise((wake) => setTimeout(wake, PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]));
  }
}

/** @param {Response} reply */
async function read(reply) {
  if (reply.status === 204) return null;
  const body = await reply.json();
  if (!reply.ok) throw new Problem(body);
  return body;
}
