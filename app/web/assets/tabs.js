// How many tabs of one browser may have a stream. A browser opens six connections to a server, and a stream keeps one for
// as long as its tab is there: with six of them a press of a button would wait for ever.

const STREAMS = 4;
/** How often a tab without a stream looks whether those that have one still live, and how long they may take to say so. */
const ROLL_MS = 10_000;
const ANSWER_MS = 2_000;

/** @typedef {{id: string, isSeen: boolean, since: number}} Tab */

/** Who of the browser's tabs may have a stream: those that are seen, the latest first, then those that were seen last. */
export class Tabs {
  /** @type {Map<string, Tab & {heardAt: number}>} */
  #others = new Map();
  #channel = new BroadcastChannel("fifteen-streams");
  /** @type {Tab} */
  #self = { id: crypto.getRandomValues(new Uint32Array(4)).join("-"), isSeen: isSeen(), since: Date.now() };

  /** @param {() => void} onChange told when somebody came, went, or is seen now */
  constructor(onChange) {
    this.onChange = onChange;
    this.#channel.onmessage = ({ data }) => this.#heard(data);
    document.addEventListener("visibilitychange", () => {
      this.#self = { ...this.#self, isSeen: isSeen(), since: Date.now() };
      this.#tell("here");
      this.onChange();
    });
    window.addEventListener("pagehide", () => this.#tell("gone"));
    window.addEventListener("pageshow", () => this.#tell("roll"));
    this.#tell("roll");
    setInterval(() => this.mayStream || this.#callTheRoll(), ROLL_MS);
  }

  get mayStream() {
    const before = [...this.#others.values()].filter((other) => isBefore(other, this.#self));
    return before.length < STREAMS;
  }

  /** @param {"here" | "gone" | "roll"} kind */
  #tell(kind) {
    this.#channel.postMessage({ kind, tab: this.#self });
  }

  /** @param {{kind: "here" | "gone" | "roll", tab: Tab}} told */
  #heard({ kind, tab }) {
    if (kind === "gone") this.#others.delete(tab.id);
    else this.#others.set(tab.id, { ...tab, heardAt: performance.now() });
    if (kind === "roll") this.#tell("here");
    this.onChange();
  }

  /** A tab that crashed says nothing when it goes. */
  #callTheRoll() {
    const calledAt = performance.now();
    this.#tell("roll");
    setTimeout(() => {
      for (const [id, { heardAt }] of this.#others) if (heardAt < calledAt) this.#others.delete(id);
      this.onChange();
    }, ANSWER_MS);
  }
}

function isSeen() {
  return document.visibilityState === "visible";
}

/** @param {Tab} one @param {Tab} other */
function isBefore(one, other) {
  if (one.isSeen !== other.isSeen) return one.isSeen;
  return one.since === other.since ? one.id < other.id : one.since > other.since;
}
