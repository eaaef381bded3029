// Buttons that move what has no room on the screen: nobody has to know that a finger can push it.

import { make } from "./dom.js";
import { say } from "./tongue.js";

/** What is read or touched as a whole, and so is not cut by the edge of the screen. */
const WHOLE = "h1, p, button, figure";
const TOLERANCE_PX = 1;

/** Offer the buttons below `main` whenever it holds more than it shows. @param {HTMLElement} main @param {HTMLElement} bar */
export function pageThrough(main, bar) {
  const up = make("button", { type: "button", class: "up", onclick: () => turn(-1) });
  const down = make("button", { type: "button", class: "down", onclick: () => turn(1) });

  /** To the next that is not seen in full, or by as much as is seen. @param {1 | -1} way */
  function turn(way) {
    const room = main.getBoundingClientRect();
    const parts = [...main.querySelectorAll(WHOLE)].map((part) => part.getBoundingClientRect());
    const below = parts.filter(({ top, bottom }) => bottom > room.bottom + TOLERANCE_PX && top > room.top + TOLERANCE_PX);
    const above = parts.filter(({ top, bottom }) => top < room.top - TOLERANCE_PX && bottom < room.bottom - TOLERANCE_PX);
    const next = way > 0 ? Math.min(...below.map(({ top }) => top - room.top)) : Math.max(...above.map(({ bottom }) => bottom - room.bottom));
    const most = main.clientHeight;
    main.scrollBy({ top: Number.isFinite(next) && way * next > 0 ? Math.max(-most, Math.min(most, next)) : way * most, behavior: "instant" });
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
