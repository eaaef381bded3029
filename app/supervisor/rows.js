// Lists that are painted again and again: a row stays the same element as long as it is about the same thing.

/**
 * An element of a page.
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The element of the page with this id. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
}

/** Set a text, and touch the page only when it is another. @param {Element} where @param {string} text */
export function write(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

/** The part of a row that bears this name. @param {Element} row @param {string} name @returns {HTMLElement} */
export function part(row, name) {
  const found = row.querySelector(`.${name}`);
  if (!found) throw new Error(`the row has no ${name}`);
  return /** @type {HTMLElement} */ (found);
}

/**
 * Have one row for each thing, in order. Whoever stands in a row with the keyboard stays in it when it moves.
 * @template T
 * @param {Element} list
 * @param {T[]} things
 * @param {(thing: T) => string} name
 * @param {(thing: T) => HTMLElement} make
 * @param {(row: HTMLElement, thing: T) => void} paint
 */
export function keep(list, things, name, make, paint) {
  /** @type {Map<string, HTMLElement>} */
  const rows = new Map();
  for (const row of /** @type {Iterable<HTMLElement>} */ (list.children)) rows.set(row.dataset.name ?? "", row);
  const focused = list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  things.forEach((thing, place) => {
    const row = rows.get(name(thing)) ?? make(thing);
    row.dataset.name = name(thing);
    rows.delete(name(thing));
    paint(row, thing);
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
  for (const row of rows.values()) row.remove();
  if (focused && focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
}
