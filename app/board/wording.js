// What is said of a call, as the names of clips. They are the same in every language: see deploy/voices/words.py.

/** What a counter is called where it is not a window, by its name in the language spoken. */
const PLACES = [
  { said: /кабинет|\broom\b|\boffice\b/iu, clip: "go-room" },
  { said: /стол|\bdesk\b|\btable\b/iu, clip: "go-desk" },
];
const KNOWN_LETTERS = /[A-ZА-ЯЁ]/u;

/**
 * "Ticket A twelve, please go to counter five", in the order it is said.
 * @param {string} number the ticket's
 * @param {string} counter its name in the language spoken
 * @param {string} id the counter's, which may have a number where the name has none
 */
export function announcement(number, counter, id) {
  return ["ticket", ...spelled(number), ...whereto(counter, id)];
}

/** As much of it as somebody needs who waits for it. @param {string} number @param {string} counter @param {string} id */
export function brief(number, counter, id) {
  return [...spelled(number), ...whereto(counter, id)];
}

/** The number and the place alone. @param {string} number @param {string} counter @param {string} id */
export function briefest(number, counter, id) {
  const place = numberIn(counter) ?? numberIn(id);
  return [...spelled(number), ...(place ? spelled(place) : ["look"])];
}

/** @param {string} name @param {string} id */
function whereto(name, id) {
  const place = numberIn(name) ?? numberIn(id);
  if (!place) return ["look"];
  return [PLACES.find(({ said }) => said.test(name))?.clip ?? "go-counter", ...spelled(place)];
}

/**
 * `12`, `3А` or `B4` in the name of a counter.
 * @param {string} name
 */
export function numberIn(name) {
  return (name.match(/(?<!\p{L})\p{L}?\d+\p{L}?(?!\p{L})/u) ?? name.match(/\d+/))?.[0];
}

/** Letters one by one, digits as the number they make. @param {string} text */
export function spelled(text) {
  const parts = text.toUpperCase().match(/\p{L}|\d+/gu) ?? [];
  return parts.flatMap((part) => (/\d/.test(part) ? counted(part) : KNOWN_LETTERS.test(part) ? [letter(part)] : []));
}

/** `012` as twelve. What has no words up to 9999 is said digit by digit. @param {string} digits */
function counted(digits) {
  const number = Number(digits);
  if (number > 9999) return [...digits];
  const thousands = Math.floor(number / 1000) * 1000;
  const hundreds = Math.floor((number % 1000) / 100) * 100;
  const rest = number % 100;
  return number ? [thousands, hundreds, rest].filter(Boolean).map(String) : ["0"];
}

/** @param {string} capital */
function letter(capital) {
  const small = capital.toLowerCase();
  const isLatin = small >= "a" && small <= "z";
  return `letter-${isLatin ? small : (small.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
}

/** What may be said in a hall with these letters: every number up to 999 and every place. @param {string} letters */
export function vocabulary(letters) {
  const numbers = Array.from({ length: 100 }, (_, number) => String(number));
  const hundreds = Array.from({ length: 9 }, (_, hundred) => `${hundred + 1}00`);
  const phrases = ["ticket", "look", "go-counter", "go-room", "go-desk"];
  return [...new Set([...phrases, ...spelled(letters.replace(/\d/g, "")), ...numbers, ...hundreds])];
}
