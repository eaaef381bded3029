// The office's stream, read so that silence is noticed. Whoever listens is told every state, and when the link is lost.

/** A quiet stream says something every 15 seconds. */
const SILENCE_MS = 22_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/**
 * @typedef {object} Listener
 * @property {(data: any, id: string) => void} state  told every event without a name
 * @property {(isLive: boolean, lastHeard: Date | null) => void} [link]  told when the link is lost and when it is back
 * @property {(name: string, data: any) => void} [other]  told every event that has a name
 */

/**
 * Listen until the page goes away.
 * @param {string} address
 * @param {Listener} listener
 */
export function listen(address, listener) {
  void forEver(address, listener);
}

/** @param {string} address @param {Listener} listener */
async function forEver(address, listener) {
  let pause = FIRST_PAUSE_MS;
  /** @type {Date | null} */
  let lastHeard = null;
  for (;;) {
    try {
      await once(address, listener, () => {
        lastHeard = new Date();
        pause = FIRST_PAUSE_MS;
        listener.link?.(true, lastHeard);
      });
    } catch (error) {
      console.info("the stream ended", error);
    }
    listener.link?.(false, lastHeard);
    await new Promise((wake) => setTimeout(wake, pause * (0.5 + Math.random())));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** One connection, to its end. @param {string} address @param {Listener} listener @param {() => void} heard */
async function once(address, listener, heard) {
  const ending = new AbortController();
  let watchdog = setTimeout(() => ending.abort(), SILENCE_MS);
  const gone = () => ending.abort();
  window.addEventListener("offline", gone);
  try {
    const reply = await fetch(address, { signal: ending.signal, headers: { Accept: "text/event-stream" }, cache: "no-store" });
    if (!reply.ok || !reply.body) throw new Error(`status ${reply.status}`);
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => ending.abort(), SILENCE_MS);
      heard();
      text += value;
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) tell(event, listener);
    }
  } finally {
    clearTimeout(watchdog);
    window.removeEventListener("offline", gone);
    ending.abort();
  }
}

/** @param {string} event @param {Listener} listener */
function tell(event, listener) {
  let id = "";
  let name = "";
  let data = "";
  for (const line of event.split("\n")) {
    if (line.startsWith("id: ")) id = line.slice(4);
    else if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (!data) return;
  if (name) listener.other?.(name, JSON.parse(data));
  else listener.state(JSON.parse(data), id);
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
