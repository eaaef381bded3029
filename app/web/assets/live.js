// The live connection of every screen: the office's stream, and the snapshot for as long as the stream brings nothing.
//
// A proxy may hold a stream back without ending it. So a stream has to show that it flows: the server says something a
// second after its beginning. Until it did, and whenever there is none, the page asks for the snapshot every few seconds
// by its ETag, and goes on trying for a stream. Whoever listens is told every state, and whether the page is live.

import { guarded } from "./faults.js";
import { Tabs } from "./tabs.js";

/** A quiet stream says something every 15 seconds. */
const SILENCE_MS = 22_000;
/** A stream that flows has shown it by now. */
const PROOF_MS = 2_500;
/** What comes so long after the first piece came by itself. */
const APART_MS = 300;
/** A stream that does not flow gets another chance. */
const UNPROVEN_MS = 60_000;
const ASK_MS = 2_000;
const ANSWER_MS = 3_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/**
 * @typedef {object} Listener
 * @property {(data: any, id: string) => void} state  told every event without a name
 * @property {(data: any) => void} [snapshot]  told what was asked for; without it, `state` is
 * @property {(isLive: boolean, lastHeard: Date | null) => void} [link]  told when the link is lost and when it is back
 * @property {(name: string, data: any) => void} [other]  told every event that has a name
 */

/**
 * Listen until the page goes away.
 * @param {string} address of the stream; the snapshot is at the same one without `/stream`
 * @param {Listener} listener
 */
export function listen(address, listener) {
  const link = new Link(address, listener);
  void link.follow();
  void link.ask();
}

class Link {
  /** Whether the stream has shown that nobody holds it back. */
  #flows = false;
  /** Whether a stream was begun a moment ago, so that it may still show it. */
  #isNew = false;
  /** @type {AbortController | null} */
  #ending = null;
  /** @type {Date | null} */
  #lastHeard = null;
  #streamedAt = -Infinity;
  #deliveries = 0;
  #etag = "";
  /** The state that was asked for: a stream that was held back brings older ones. */
  #askedSeq = -1;
  #wakeFollower = () => {};
  #wakeAsker = () => {};

  /** @param {string} address @param {Listener} listener */
  constructor(address, listener) {
    this.address = address;
    this.snapshot = address.replace(/\/stream$/, "");
    this.listener = listener;
    this.tabs = new Tabs(() => {
      if (this.tabs.mayStream) this.#wakeFollower();
      else this.#ending?.abort();
    });
  }

  async follow() {
    let pause = FIRST_PAUSE_MS;
    for (;;) {
      while (!this.tabs.mayStream) await new Promise((/** @type {(value?: any) => void} */ wake) => (this.#wakeFollower = wake));
      try {
        await this.#once(() => (pause = FIRST_PAUSE_MS));
      } catch (error) {
        console.info("the stream ended", error);
      }
      this.#flows = this.#isNew = false;
      this.#wakeAsker();
      await new Promise((wake) => setTimeout(wake, pause * (0.5 + Math.random())));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Ask whenever the stream cannot be trusted to bring what happens. */
  async ask() {
    for (;;) {
      if (!this.#flows && !this.#isNew) await this.#look();
      await new Promise((/** @type {(value?: any) => void} */ wake) => {
        this.#wakeAsker = wake;
        setTimeout(wake, ASK_MS * (0.75 + Math.random() / 2));
      });
    }
  }

  async #look() {
    const before = this.#deliveries;
    try {
      /** @type {Record<string, string>} */
      const headers = { "Accept-Language": document.documentElement.lang };
      if (this.#etag) headers["If-None-Match"] = this.#etag;
      const reply = await fetch(this.snapshot, { headers, cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      if (reply.status !== 304 && !reply.ok) throw new Error(`status ${reply.status}`);
      const data = reply.ok ? await reply.json() : null;
      if (this.#flows) return;
      this.#heard();
      // What the stream has brought meanwhile is newer.
      if (!data || before !== this.#deliveries) return;
      this.#etag = reply.headers.get("ETag") ?? "";
      this.#askedSeq = data.seq ?? -1;
      guarded(() => (this.listener.snapshot ? this.listener.snapshot(data) : this.listener.state(data, "")));
    } catch (error) {
      console.info("the snapshot was not told", error);
      if (!this.#flows && performance.now() - this.#streamedAt > ASK_MS + ANSWER_MS) this.#lost();
      else if (!this.#ending) this.#lost();
    }
  }

  #heard() {
    this.#lastHeard = new Date();
    guarded(() => this.listener.link?.(true, this.#lastHeard));
  }

  #lost() {
    guarded(() => this.listener.link?.(false, this.#lastHeard));
  }

  /** One stream, to its end. @param {() => void} heard */
  async #once(heard) {
    const ending = (this.#ending = new AbortController());
    const end = () => ending.abort();
    let watchdog = setTimeout(end, SILENCE_MS);
    this.#isNew = true;
    const proof = setTimeout(() => {
      this.#isNew = false;
      if (!this.#flows) this.#wakeAsker();
    }, PROOF_MS);
    const chance = setTimeout(() => this.#flows || ending.abort(), UNPROVEN_MS);
    window.addEventListener("offline", end);
    try {
      const reply = await fetch(this.address, { signal: ending.signal, headers: { Accept: "text/event-stream" }, cache: "no-store" });
      if (!reply.ok || !reply.body) throw new Error(`status ${reply.status}`);
      const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      let firstAt = Infinity;
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(end, SILENCE_MS);
        this.#streamedAt = performance.now();
        heard();
        firstAt = Math.min(firstAt, this.#streamedAt);
        this.#heard();
        text += value;
        const events = text.split("\n\n");
        text = events.pop() ?? "";
        if (this.#isNew && !text && this.#streamedAt - firstAt > APART_MS) {
          this.#flows = true;
          this.#askedSeq = -1;
        }
        for (const event of events) this.#tell(event);
      }
    } finally {
      clearTimeout(watchdog);
      clearTimeout(proof);
      clearTimeout(chance);
      window.removeEventListener("offline", end);
      ending.abort();
      this.#ending = null;
    }
  }

  /** @param {string} event */
  #tell(event) {
    let id = "";
    let name = "";
    let data = "";
    for (const line of event.split("\n")) {
      if (line.startsWith("id: ")) id = line.slice(4);
      else if (line.startsWith("event: ")) name = line.slice(7);
      else if (line.startsWith("data: ")) data += line.slice(6);
    }
    if (!data) return;
    const told = JSON.parse(data);
    if (name) {
      guarded(() => this.listener.other?.(name, told));
      return;
    }
    if (told.seq < this.#askedSeq) return;
    this.#deliveries += 1;
    guarded(() => this.listener.state(told, id));
  }
}

/**
 * Show and hide the banner `.stale` of a page, with the time at which it last heard anything.
 * @param {string} text what it says; `{time}` stands for that time
 * @returns {(isLive: boolean, lastHeard: Date | null) => void}
 */
export function banner(text) {
  const element = /** @type {HTMLElement} */ (document.querySelector(".stale"));
  return (isLive, lastHeard) => {
    element.hidden = isLive;
    document.documentElement.dataset.live = String(isLive);
    if (!isLive) {
      const time = lastHeard ? lastHeard.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }) : "–";
      element.textContent = text.replace("{time}", time);
    }
  };
}
