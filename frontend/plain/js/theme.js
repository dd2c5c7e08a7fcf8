// @ts-check
// Light, dark or the system's: shown and remembered at once. Without scripts the form asks the server to remember.

/** @param {string} theme */
function show(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-form] button")) {
    if (button instanceof HTMLButtonElement) button.setAttribute("aria-pressed", String(button.value === theme));
  }
}

/** The cookie that the server reads; written here, so that a page opened in the same moment has it already.
 * @param {string} theme */
function remember(theme) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.themeForm === undefined) return;
  const button = /** @type {SubmitEvent} */ (event).submitter;
  if (!(button instanceof HTMLButtonElement)) return;
  event.preventDefault();
  show(button.value);
  remember(button.value);
});
