// A short sound when somebody comes to an empty line. Browsers let a page be heard once it has been touched.

import { remember, remembered } from "./remembered.js";

const NOTES_HZ = [659.3, 880];
const NOTE_SECONDS = 0.22;
const LOUDNESS = 0.2;

/** @type {AudioContext | null} */
let audio = null;

export function isMuted() {
  return remembered("muted") === "yes";
}

/** @param {boolean} muted */
export function mute(muted) {
  remember("muted", muted ? "yes" : "no");
}

/** Two soft notes, unless the sound is off. */
export function ring() {
  if (isMuted()) return;
  audio ??= new AudioContext();
  void audio.resume();
  NOTES_HZ.forEach((frequency, index) => note(/** @type {AudioContext} */ (audio), frequency, index * NOTE_SECONDS));
}

/** @param {AudioContext} context @param {number} frequency @param {number} after */
function note(context, frequency, after) {
  const begins = context.currentTime + after;
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0, begins);
  gain.gain.linearRampToValueAtTime(LOUDNESS, begins + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.001, begins + NOTE_SECONDS * 2);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(begins);
  oscillator.stop(begins + NOTE_SECONDS * 2);
}
