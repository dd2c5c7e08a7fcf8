// @ts-check
// <form data-confirm="Delete 3 pictures?" data-confirm-yes="Delete"> (or the same on its button) asks in a dialog first.
// Without JavaScript the form is sent at once: what cannot be undone needs its own page on the server as well.

const dialog = document.querySelector("dialog#confirm");

/**
 * @param {string} words
 * @param {string | undefined} yes
 * @returns {Promise<boolean>}
 */
export function ask(words, yes) {
  if (!(dialog instanceof HTMLDialogElement)) return Promise.resolve(true);
  const title = dialog.querySelector("h2");
  const button = dialog.querySelector("[data-yes]");
  if (title) title.textContent = words;
  if (button && yes) button.textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** @type {WeakSet<HTMLFormElement>} */
const agreed = new WeakSet();

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = /** @type {SubmitEvent} */ (event).submitter;
  if (!(form instanceof HTMLFormElement) || agreed.has(form)) return;
  const asker = button instanceof HTMLElement && button.dataset.confirm ? button : form;
  const words = asker.dataset.confirm;
  if (!words) return;
  event.preventDefault();
  if (!(await ask(words, asker.dataset.confirmYes))) return;
  agreed.add(form);
  form.requestSubmit(button);
  agreed.delete(form);
});
