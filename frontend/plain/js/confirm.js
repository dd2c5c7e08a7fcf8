// @ts-check
// <form data-confirm="Delete 3 pictures?" data-confirm-yes="Delete"> (or the same on its button) asks in a dialog first.
// data-confirm-no names the other button, where "Cancel" would read as the thing itself.
// Without JavaScript the form is sent at once: what cannot be undone needs its own page on the server as well.

const dialog = document.querySelector("dialog#confirm");

/**
 * @param {string} words
 * @param {string | undefined} yes
 * @param {string | undefined} [no]
 * @returns {Promise<boolean>}
 */
export function ask(words, yes, no) {
  if (!(dialog instanceof HTMLDialogElement)) return Promise.resolve(true);
  const title = dialog.querySelector("h2");
  const button = dialog.querySelector("[data-yes]");
  const other = dialog.querySelector("[data-no]");
  if (title) title.textContent = words;
  if (button && yes) button.textContent = yes;
  if (other instanceof HTMLElement) {
    other.dataset.no ||= other.textContent ?? "";
    other.textContent = no || other.dataset.no;
  }
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
  if (!(await ask(words, asker.dataset.confirmYes, asker.dataset.confirmNo))) return;
  agreed.add(form);
  form.requestSubmit(button);
  agreed.delete(form);
});
