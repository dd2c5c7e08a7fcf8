// @ts-check
// Light, dark or the system's: shown at once, remembered by the server (its cookie decides the next page).

/** @param {string} theme */
function show(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-form] button")) {
    if (button instanceof HTMLButtonElement) button.setAttribute("aria-pressed", String(button.value === theme));
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.themeForm === undefined) return;
  const button = /** @type {SubmitEvent} */ (event).submitter;
  if (!(button instanceof HTMLButtonElement)) return;
  event.preventDefault();
  const body = new FormData(form);
  body.set("theme", button.value);
  show(button.value);
  // The page already looks right; if remembering fails, the next page asks the system again.
  fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => undefined);
});
