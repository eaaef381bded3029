// How a visitor sees and reaches the page: large, in high contrast, low, read aloud. All of it ends with the visitor.

import { make } from "./dom.js";
import { say, spoken } from "./tongue.js";

const root = document.documentElement;

/** @type {Record<string, boolean>} */
const on = { large: false, contrast: false, low: false };

/** @returns {[string, string][]} */
function names() {
  return [
    ["large", say("Large text")],
    ["contrast", say("High contrast")],
    ["low", say("Low reach")],
  ];
}

/** Everything as it was before the visitor. */
export function usual() {
  for (const mode of Object.keys(on)) on[mode] = false;
  hush();
  apply();
}

/** Whether the visitor has asked for large text, and so for time. */
export function isLarge() {
  return on.large;
}

/** Whether the visitor has changed anything. */
export function changed() {
  return Object.values(on).some(Boolean);
}

/** @param {HTMLElement} bar @param {() => void} onChange */
export function paintModes(bar, onChange) {
  bar.setAttribute("aria-label", say("How the screen looks"));
  bar.replaceChildren(
    ...names().map(([mode, name]) =>
      make(
        "button",
        {
          type: "button",
          "data-mode": mode,
          "aria-pressed": String(on[mode]),
          onclick: () => {
            on[mode] = !on[mode];
            apply();
            onChange();
          },
        },
        name,
      ),
    ),
    ...(voice() ? [make("button", { type: "button", "data-mode": "aloud", onclick: readAloud }, say("Read aloud"))] : []),
  );
}

function apply() {
  for (const [mode, is] of Object.entries(on)) {
    if (is) root.dataset[mode] = "on";
    else delete root.dataset[mode];
  }
}

/** A voice for the language that is spoken now; most kiosks have none. */
function voice() {
  const voices = window.speechSynthesis?.getVoices() ?? [];
  return voices.find((voice) => voice.lang.toLowerCase().startsWith(spoken()));
}

/** Told when the browser has found its voices. @param {() => void} onChange */
export function whenVoicesCome(onChange) {
  window.speechSynthesis?.addEventListener?.("voiceschanged", onChange);
}

/** Read nothing more. */
export function hush() {
  window.speechSynthesis?.cancel();
}

function readAloud() {
  hush();
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  const texts = [...main.querySelectorAll("h1, h2, p, li, button")].map((element) => (element.textContent ?? "").trim());
  for (const text of texts.filter(Boolean)) {
    const words = new SpeechSynthesisUtterance(text);
    words.lang = spoken();
    words.voice = voice() ?? null;
    window.speechSynthesis.speak(words);
  }
}
