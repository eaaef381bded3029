// The keys. Each presses the visible button whose legend shows it, so a key can never do what the page does not offer.

/** Digits that follow each other sooner than this are somebody's typing in the wrong window, and press nothing. */
const TYPING_MS = 300;

let typedAt = -Infinity;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let padPress;

/** Listen for keys as long as the page lives. @param {HTMLButtonElement} main the button of the main key */
export function listenForKeys(main) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const dialog = document.querySelector("dialog[open]");
    if (dialog) pressInDialog(event, dialog);
    else pressOnPage(event, main);
  });
}

/** @param {KeyboardEvent} event @param {Element} dialog */
function pressInDialog(event, dialog) {
  // Escape closes the dialog, as everywhere.
  if (isMine(event) && event.key !== "Escape") event.preventDefault();
  if (isField(event.target) || !/^[0-9]$/.test(event.key) || event.repeat) return;
  press(dialog.querySelector(`button[data-digit="${event.key}"]`), event);
}

/** @param {KeyboardEvent} event @param {HTMLButtonElement} main */
function pressOnPage(event, main) {
  const isTyping = noticeTyping(event);
  const digit = /^Numpad([0-9])$/.exec(event.code)?.[1];
  if (event.code === "NumpadEnter" || event.code === "NumpadAdd") {
    // Also over another button that has the focus, which would be pressed as well.
    event.preventDefault();
    if (!isTyping && !event.repeat) main.click();
  } else if ((event.key === "Enter" || event.key === " ") && !isControl(document.activeElement)) {
    press(isTyping ? null : main, event);
  } else if ((event.key === "Enter" || event.key === " ") && (isTyping || event.repeat) && document.activeElement === main) {
    event.preventDefault();
  } else if (digit) {
    event.preventDefault();
    if (!isTyping && !event.repeat) padPress = setTimeout(() => shown(`[data-pad="${digit}"]`)?.click(), TYPING_MS);
  } else if (isMine(event)) {
    press(shown(`[data-key="${event.key}"]`), event);
  }
}

/** Whether this key comes on the heels of a letter or digit; such a digit takes back the one before. @param {KeyboardEvent} event */
function noticeTyping(event) {
  const isTyping = event.timeStamp - typedAt < TYPING_MS;
  if (/^Numpad[0-9]$/.test(event.code) || /^[^ +]$/u.test(event.key)) {
    if (isTyping) clearTimeout(padPress);
    typedAt = event.timeStamp;
  }
  return isTyping;
}

/** @param {Element | null} button @param {KeyboardEvent} event */
function press(button, event) {
  event.preventDefault();
  if (!event.repeat && button instanceof HTMLButtonElement) button.click();
}

/** @param {string} selector */
function shown(selector) {
  const found = /** @type {HTMLButtonElement | null} */ (document.querySelector(`button${selector}:not([hidden])`));
  return found?.checkVisibility() ? found : null;
}

/** @param {KeyboardEvent} event */
function isMine(event) {
  return document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`) !== null;
}

/** Whether Enter and Space have a meaning of their own there. @param {Element | null} focused */
function isControl(focused) {
  return focused?.matches("button, a, input, select, textarea, .scroll") ?? false;
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
