// Buttons that move what has no room on the screen: nobody has to know that a finger can push it.

import { make } from "./dom.js";
import { say } from "./tongue.js";

/** So much of what was seen is seen after a turn, too. */
const KEPT = 0.2;

/** Offer the buttons below `main` whenever it holds more than it shows. @param {HTMLElement} main @param {HTMLElement} bar */
export function pageThrough(main, bar) {
  const up = make("button", { type: "button", class: "up", onclick: () => turn(-1) });
  const down = make("button", { type: "button", class: "down", onclick: () => turn(1) });

  /** @param {1 | -1} way */
  function turn(way) {
    main.scrollBy({ top: way * main.clientHeight * (1 - KEPT), behavior: "instant" });
    paintEnds();
  }

  function paintEnds() {
    up.disabled = main.scrollTop <= 0;
    down.disabled = main.scrollTop + main.clientHeight >= main.scrollHeight - 1;
  }

  function offer() {
    const focused = document.activeElement;
    bar.replaceChildren();
    if (main.scrollHeight <= main.clientHeight + 1) return;
    up.textContent = `↑ ${say("Further up")}`;
    down.textContent = `↓ ${say("Further down")}`;
    bar.append(up, down);
    paintEnds();
    if (focused === up) up.focus();
    if (focused === down) down.focus();
  }

  main.addEventListener("scroll", paintEnds, { passive: true });
  new ResizeObserver(offer).observe(main);
  new MutationObserver(offer).observe(main, { childList: true, subtree: true, characterData: true });
  return offer;
}
