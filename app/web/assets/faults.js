// A fault of a page is told as what it is: not as a lost link, and not in silence.

import { say } from "./words.js";

/** A page that paints again for so long without a fault has got over it. */
const OVER_MS = 2_000;

let toldAt = -Infinity;

/** Paint, or tell why that cannot be. @param {() => void} paint */
export function guarded(paint) {
  try {
    paint();
    const sign = document.querySelector(".fault");
    if (sign && performance.now() - toldAt > OVER_MS) sign.remove();
  } catch (fault) {
    tellFault(fault);
  }
}

/** Tell of a fault at the foot of the page, once for all who paint. @param {unknown} fault */
export function tellFault(fault) {
  console.error("the page has a fault", fault);
  toldAt = performance.now();
  const sign = document.querySelector(".fault") ?? document.createElement("p");
  sign.className = "fault";
  sign.setAttribute("role", "alert");
  sign.textContent = say("This page has a fault and may not show everything. Please load it anew. ({fault})", { fault: String(fault) });
  if (!sign.isConnected) document.body.append(sign);
}

// What is painted with the next frame, or every second, is told of too. A browser's own remarks come without an error.
window.addEventListener("error", (event) => event.error && tellFault(event.error));
