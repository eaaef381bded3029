// Elements, made of what is in them.

/**
 * An element with attributes, listeners (`onclick`) and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const QUIET_MODULES = 4;

/** A QR code as a picture: dark on light, by night too. @param {import("./setup.js").Code} code @param {string} label */
export function picture(code, label) {
  const bytes = Uint8Array.from(atob(code.bits), (letter) => letter.charCodeAt(0));
  let path = "";
  for (let place = 0; place < code.size * code.size; place++) {
    if ((bytes[place >> 3] ?? 0) & (128 >> (place & 7))) {
      path += `M${(place % code.size) + QUIET_MODULES} ${Math.floor(place / code.size) + QUIET_MODULES}h1v1h-1z`;
    }
  }
  const whole = code.size + 2 * QUIET_MODULES;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${whole} ${whole}`);
  svg.setAttribute("class", "code");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const paper = document.createElementNS(SVG, "rect");
  paper.setAttribute("width", String(whole));
  paper.setAttribute("height", String(whole));
  paper.setAttribute("fill", "#fff");
  const ink = document.createElementNS(SVG, "path");
  ink.setAttribute("d", path);
  ink.setAttribute("fill", "#000");
  svg.append(paper, ink);
  return svg;
}
