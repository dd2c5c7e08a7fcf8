// @ts-check
// Toasts: closes those of the page, and lets other modules add one.

/** @typedef {"good" | "warn" | "bad" | ""} Tone */

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
  if (!lasting) setTimeout(() => toast.remove(), PATIENCE);
}

/**
 * @param {string} words
 * @param {Tone} [tone]
 */
export function toast(words, tone = "") {
  const made = document.createElement("div");
  made.className = `toast ${tone}`.trim();
  const text = document.createElement("span");
  text.textContent = words;
  made.append(text);
  shelf()?.append(made);
  finish(made);
}

for (const made of document.querySelectorAll(".toasts > .toast")) {
  if (made instanceof HTMLElement) finish(made);
}
