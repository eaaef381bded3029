// Whoever leaves the kiosk takes everything along: the page begins anew when nobody has touched it for a while.

const COUNTED = 15;

export class Idle {
  /**
   * @param {number} seconds
   * @param {() => void} onEnd
   * @param {(left: number | null) => void} onCount  told every second of the last ones; null when somebody is there after all
   */
  constructor(seconds, onEnd, onCount) {
    this.seconds = seconds;
    this.counted = Math.min(COUNTED, Math.ceil(seconds / 2));
    this.onEnd = onEnd;
    this.onCount = onCount;
    this.left = seconds;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    // Nothing moves under a finger: the countdown goes with the next second, or by its own button.
    for (const touch of ["pointerdown", "keydown", "wheel"]) addEventListener(touch, () => (this.left = seconds), { capture: true, passive: true });
  }

  /** Begin to count. */
  watch() {
    this.touched();
    this.timer ??= setInterval(() => this.#second(), 1_000);
  }

  /** Nobody is there to leave. */
  rest() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.onCount(null);
  }

  /** Somebody is there. */
  touched() {
    this.left = this.seconds;
    this.onCount(null);
  }

  #second() {
    this.left -= 1;
    if (this.left <= 0) {
      this.rest();
      this.onEnd();
    } else this.onCount(this.left <= this.counted ? this.left : null);
  }
}
