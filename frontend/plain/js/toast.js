// @ts-check
// Toasts: closes those of the page, and lets other modules add one.

/** @typedef {"good" | "warn" | "bad" | ""} Tone */
/** @typedef {{label: string, run: () => void}} Action what can be taken back */

const PATIENCE = 6000; // ms; what went wrong stays until it is closed

/** @returns {HTMLElement | null} */
const shelf = () => document.querySelector(".toasts");

/** @param {HTMLElement} toast */
function finish(toast) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button ghost icon-only compact";
  close.setAttribute("aria-label", shelf()?.dataset.closeLabel ?? "Close");
  close.textContent = "×";
  close.addEventListener("click", () => toast.remove());
  toast.append(close);
  const lasting = toast.classList.contains("bad") || toast.classList.contains("warn");
  if (!lasting) wither(toast);
}

/**
 * Not while somebody is at it: it may hold the only way back.
 * @param {HTMLElement} toast
 */
function wither(toast) {
  const watched = () => toast.matches(":hover") || toast.contains(document.activeElement);
  setTimeout(() => (watched() ? wither(toast) : toast.remove()), PATIENCE);
}

/**
 * @param {Action} action
 * @param {HTMLElement} made
 */
function button({ label, run }, made) {
  const found = document.createElement("button");
  found.type = "button";
  found.className = "link-button";
  found.textContent = label;
  found.addEventListener("click", () => {
    made.remove();
    run();
  });
  return found;
}

/**
 * @param {string} words
 * @param {Tone} [tone]
 * @param {Action} [action]
 */
export function toast(words, tone = "", action) {
  const made = document.createElement("div");
  made.className = `toast ${tone}`.trim();
  const text = document.createElement("span");
  text.textContent = words;
  made.append(text);
  if (action) made.append(button(action, made));
  shelf()?.append(made);
  finish(made);
}

// Built islands say it by this event, because they can not import by our hashed names.
document.addEventListener("imodel:toast", (event) => {
  const { words, tone, action } = /** @type {CustomEvent<{words: string, tone: Tone, action?: Action}>} */ (event).detail;
  toast(words, tone, action);
});

for (const made of document.querySelectorAll(".toasts > .toast")) {
  if (made instanceof HTMLElement) finish(made);
}
