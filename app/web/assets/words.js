// What a module says, in the page's language. The server hands the sentences over with the page.

/** @type {Record<string, string>} */
const WORDS = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
export const LANGUAGE = document.documentElement.lang;

/**
 * A sentence of ours; `{name}` in it stands for a value.
 * @param {string} english
 * @param {Record<string, string | number>} [values]
 */
export function say(english, values = {}) {
  const sentence = WORDS[english] ?? english;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** A sentence that is said elsewhere. @param {string} english */
export function mark(english) {
  return english;
}

/** A text of the office in the page's language, or in whatever it has. @param {Record<string, string>} words */
export function inWords(words) {
  return words[LANGUAGE] ?? Object.values(words)[0] ?? "";
}
