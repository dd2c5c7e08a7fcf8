// @ts-check
// A set's page ([data-set]) loses nothing that was typed: from the first change of its form (#pictures) on, the training
// can not be started before that is saved ([data-start], [data-unsaved]), and when the check ends the page stays and
// offers what came of it ([data-ready]).

export class Typed {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.changed = false;
    root.querySelector("form#pictures")?.addEventListener("input", () => this.change());
    root.addEventListener("imodel:progress", (event) => {
      const { done } = /** @type {CustomEvent<{done: boolean}>} */ (event).detail;
      if (!done || !this.changed) return;
      event.preventDefault(); // progress.js would leave the page
      this.show("[data-ready]");
    });
  }

  change() {
    this.changed = true;
    for (const button of this.root.querySelectorAll("button[data-start]")) button.setAttribute("disabled", "");
    this.show("[data-unsaved]");
  }

  /** @param {string} parts */
  show(parts) {
    for (const part of this.root.querySelectorAll(parts)) part.removeAttribute("hidden");
  }
}

for (const root of document.querySelectorAll("[data-set]")) {
  if (root instanceof HTMLElement) new Typed(root);
}
