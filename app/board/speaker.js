// Says one announcement after the other, each to its end. Whatever becomes of a clip, the next one follows.

/** With so many in the queue only numbers and places are said, in one language, and faster. */
const BEHIND = 3;
const FASTER = 1.25;
/** How long a clip may take before it begins, and beyond its own length. */
const PATIENCE_MS = 4_000;
/** After every language. */
const PAUSE_MS = 350;
const CHIME = "chime.ogg";

/**
 * @template T
 * @typedef {object} Announcement
 * @property {T} of  what it is about
 * @property {string[][]} clips  the addresses of its clips, language by language
 * @property {string[][]} brief  without the words that can be done without
 * @property {string[]} briefest  the number and the place, in one language
 */

/**
 * @template T
 * @typedef {object} Told  who is told what the speaker does
 * @property {(of: T) => void} begun
 * @property {(of: T) => boolean} isOver  whether it need not be said any more
 * @property {(of: T, wholly: boolean) => void} done  `wholly`: at least one language was heard from first to last
 * @property {(isBlocked: boolean) => void} blocked  the browser wants to be touched before it makes a sound
 */

/** @template T */
export class Speaker {
  /** @type {Announcement<T>[]} */
  #queue = [];
  #isSpeaking = false;
  /** What is said now, or was to be said before the browser was touched, is over. */
  #isOutdated = false;
  /** Set while an announcement waits for a touch. @type {(() => void) | null} */
  #wake = null;

  /**
   * @param {HTMLElement} place  where the audio elements are while they are needed
   * @param {string} base  the address of the clips
   * @param {number} pace
   * @param {Told<T>} told
   */
  constructor(place, base, pace, told) {
    this.place = place;
    this.base = base;
    this.pace = pace;
    this.told = told;
  }

  /** What is said now. @returns {T | null} */
  get current() {
    return this.#isSpeaking ? (this.#queue[0]?.of ?? null) : null;
  }

  /** Say this after all that was asked for before. @param {Announcement<T>} announcement */
  add(announcement) {
    this.#queue.push(announcement);
    if (!this.#isSpeaking) void this.#speak();
  }

  /** Whether this is still to be said, or being said. @param {(of: T) => boolean} isIt */
  holds(isIt) {
    return this.#queue.some(({ of }) => isIt(of));
  }

  /** Find out whether the browser lets us speak, before somebody is called. */
  async tryOut() {
    const [audio] = this.#prepared([CHIME]);
    audio.volume = 0;
    await this.#begins(audio);
    release(audio);
  }

  /**
   * The page was touched. What waited for that and is `outdated` by now need not be said any more.
   * @param {(of: T) => boolean} outdated
   */
  unblock(outdated) {
    this.told.blocked(false);
    if (!this.#wake) return;
    const [current, ...others] = this.#queue;
    this.#isOutdated = outdated(current.of);
    this.#queue = [current, ...others.filter(({ of }) => !outdated(of))];
    this.#wake();
    this.#wake = null;
  }

  async #speak() {
    this.#isSpeaking = true;
    let isFirst = true;
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      if (this.told.isOver(next.of)) {
        this.#queue.shift();
        this.#isSpeaking = this.#queue.length > 0;
        this.told.done(next.of, false);
        continue;
      }
      const waiting = this.#queue.filter(({ of }) => !this.told.isOver(of)).length;
      const isBehind = waiting >= BEHIND;
      const spoken = isBehind ? [next.briefest] : waiting > 1 ? next.brief : next.clips;
      this.told.begun(next.of);
      const isWhole = await this.#say(isFirst || waiting === 1 ? [CHIME] : [], spoken, isBehind ? this.pace * FASTER : this.pace);
      isFirst = this.#isOutdated;
      this.#isOutdated = false;
      this.#queue.shift();
      this.#isSpeaking = this.#queue.length > 0;
      this.told.done(next.of, isWhole);
    }
  }

  /** @param {string[]} chime @param {string[][]} languages @param {number} pace @returns {Promise<boolean>} */
  async #say(chime, languages, pace) {
    let isWhole = false;
    const bell = this.#prepared(chime, pace);
    const spoken = languages.map((clips) => this.#prepared(clips, pace));
    for (const audio of bell) await this.#play(audio);
    for (const clips of spoken) {
      let wasHeard = clips.length > 0;
      for (const audio of clips) wasHeard = (await this.#play(audio)) && wasHeard;
      isWhole = isWhole || wasHeard;
      await new Promise((wake) => setTimeout(wake, PAUSE_MS / pace));
    }
    return isWhole;
  }

  /** All at once, so that each is there when its turn comes. @param {string[]} clips @param {number} [pace] */
  #prepared(clips, pace = this.pace) {
    return clips.map((clip) => {
      const audio = new Audio(this.base + clip);
      audio.preload = "auto";
      audio.playbackRate = audio.defaultPlaybackRate = pace;
      this.place.append(audio);
      return audio;
    });
  }

  /** Whether it was heard to its end. @param {HTMLAudioElement} audio @returns {Promise<boolean>} */
  async #play(audio) {
    const ended = new Promise((/** @type {(wasHeard: boolean) => void} */ settle) => {
      audio.addEventListener("ended", () => settle(true));
      audio.addEventListener("error", () => settle(false));
      if (audio.error) settle(false);
    });
    const begins = await this.#beginsAtLast(audio);
    const seconds = Number.isFinite(audio.duration) ? audio.duration / audio.playbackRate : 0;
    const wasHeard = begins && (await inTime(ended, seconds * 1_000 + PATIENCE_MS));
    release(audio);
    return wasHeard;
  }

  /** Whether it plays, if need be after a touch. @param {HTMLAudioElement} audio */
  async #beginsAtLast(audio) {
    while (!this.#isOutdated) {
      const begins = await this.#begins(audio);
      if (begins !== "forbidden") return begins;
      await new Promise((/** @type {(value: void) => void} */ wake) => {
        this.#wake = wake;
      });
    }
    return false;
  }

  /** Whether it plays, or the browser forbids it. @param {HTMLAudioElement} audio @returns {Promise<boolean | "forbidden">} */
  async #begins(audio) {
    try {
      const begins = await inTime(audio.play().then(() => true), PATIENCE_MS);
      if (begins) this.told.blocked(false);
      else console.warn("a clip does not begin", audio.src);
      return begins;
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotAllowedError") {
        this.told.blocked(true);
        return "forbidden";
      }
      console.warn("a clip cannot be played", audio.src, error);
      return false;
    }
  }
}

/** What was promised, or false when it takes too long. @param {Promise<boolean>} promised @param {number} ms */
function inTime(promised, ms) {
  return Promise.race([promised, new Promise((/** @type {(late: boolean) => void} */ late) => setTimeout(() => late(false), ms))]);
}

/** A browser keeps only so many decoders. @param {HTMLAudioElement} audio */
function release(audio) {
  audio.pause();
  audio.removeAttribute("src");
  audio.load();
  audio.remove();
}
