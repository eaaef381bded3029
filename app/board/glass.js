// @ts-check
// Whether somebody before the wall can see a part of it. What is said to have been shown was.

/** Half a pixel of a letter's edge is not missed. */
const TOLERANCE_PX = 1;

/**
 * Whether an element is seen in full: the page is before its window's eye, nothing cuts the element off, and nothing lies
 * on top of it.
 * @param {Element} element
 */
export function isOnGlass(element) {
  if (document.visibilityState !== "visible" || !element.isConnected) return false;
  if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height || !isWithin(box, { left: 0, top: 0, right: innerWidth, bottom: innerHeight })) return false;
  for (let holder = element.parentElement; holder; holder = holder.parentElement) {
    if (getComputedStyle(holder).overflow !== "visible" && holder !== document.body && !isWithin(box, holder.getBoundingClientRect())) return false;
  }
  const top = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
  return top !== null && (element.contains(top) || top.contains(element));
}

/**
 * @param {{left: number, top: number, right: number, bottom: number}} inner
 * @param {{left: number, top: number, right: number, bottom: number}} outer
 */
function isWithin(inner, outer) {
  return (
    inner.left >= outer.left - TOLERANCE_PX &&
    inner.top >= outer.top - TOLERANCE_PX &&
    inner.right <= outer.right + TOLERANCE_PX &&
    inner.bottom <= outer.bottom + TOLERANCE_PX
  );
}
