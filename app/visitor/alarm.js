// A telephone that makes itself heard: tones made here and vibration. It may sound only for a page that was touched.

const RINGS = 6;
const PAUSE_MS = 5_000;
const TONES_HZ = [659, 784, 988];

/** @type {AudioContext | null} */
let audio = null;
/** @type {ReturnType<typeof setInterval> | undefined} */
let ringing;

/** Whether a call would be heard. */
export function canSound() {
  return audio?.state === "running";
}

/** Make the sound possible, from within a touch. @returns {Promise<void>} */
export async function unlock() {
  try {
    audio ??= new AudioContext();
    await audio.resume();
  } catch (error) {
    console.info("there is no sound here", error);
  }
}

/** Ring now, and a few times more until `hush`. */
export function ring() {
  hush();
  let left = RINGS;
  const once = () => {
    chime();
    // Before the first touch it is refused, with a warning.
    if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.([400, 150, 400, 150, 800]);
    if (--left === 0) clearInterval(ringing);
  };
  ringing = setInterval(once, PAUSE_MS);
  once();
}

/** Ring no more. */
export function hush() {
  clearInterval(ringing);
}

/** Three rising tones. */
export function chime() {
  if (!audio || !canSound()) return;
  for (const [index, hertz] of TONES_HZ.entries()) {
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    const from = audio.currentTime + index * 0.28;
    tone.frequency.value = hertz;
    loudness.gain.setValueAtTime(0.0001, from);
    loudness.gain.exponentialRampToValueAtTime(0.6, from + 0.03);
    loudness.gain.exponentialRampToValueAtTime(0.0001, from + 0.55);
    tone.connect(loudness).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.6);
  }
}

/** Keep the screen on, where that is possible: a page of a sleeping telephone hears nothing. */
export async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch (error) {
    console.info("the screen may go to sleep", error);
  }
}
