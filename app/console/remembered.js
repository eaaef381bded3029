// What this computer remembers of its operator: a name and a few habits. Without a store it is forgotten with the page.

const PREFIX = "fifteen.console.";

/** @param {string} what */
export function remembered(what) {
  try {
    return localStorage.getItem(PREFIX + what);
  } catch {
    return null;
  }
}

/** @param {string} what @param {string} value */
export function remember(what, value) {
  try {
    localStorage.setItem(PREFIX + what, value);
  } catch {
    console.info("this browser keeps nothing");
  }
}
