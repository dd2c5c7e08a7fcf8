// @ts-check
// The moving parts of a training's page: whenever js/progress.js hears something new, they are fetched as HTML anew, so
// that there is one template for curves, samples and log; and the buttons, once one that waited has begun.
// [data-training="URL"] says from where, [data-live] and [data-controls] where to.

const PAUSE = 1500; // ms between two fetches: points come twice a second

export class Live {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.place = root.querySelector("[data-live]");
    this.mark = "";
    this.shown = "";
    this.busy = false;
    root.addEventListener("imodel:progress", (event) => {
      this.mark = /** @type {CustomEvent<{mark?: string}>} */ (event).detail.mark ?? "";
      void this.fetch();
    });
  }

  /** One at a time; what changed meanwhile is fetched after the pause. */
  async fetch() {
    if (this.busy || this.mark === this.shown || !this.place) return;
    this.busy = true;
    const mark = this.mark;
    try {
      const answer = await fetch(this.root.dataset.training ?? "", { credentials: "same-origin", cache: "no-store" });
      if (answer.ok && !answer.redirected) {
        this.draw(await answer.text());
        this.shown = mark;
      }
    } catch {
      // no connection: progress.js says so, and the next change asks again
    }
    await new Promise((done) => setTimeout(done, PAUSE));
    this.busy = false;
    void this.fetch();
  }

  /** Pictures that are there already stay as they are, so that nothing flickers. @param {string} html */
  draw(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    this.control(fresh.querySelector("[data-controls]"));
    const known = new Map([...(this.place?.querySelectorAll("img") ?? [])].map((img) => [nameOf(img), img]));
    for (const img of fresh.querySelectorAll("img")) {
      const there = known.get(nameOf(img));
      if (there) img.replaceWith(there);
    }
    this.place?.replaceChildren(...fresh.childNodes);
  }

  /** Buttons change with the status only, or one would be replaced under the finger. @param {Element | null} fresh */
  control(fresh) {
    fresh?.remove();
    const there = this.root.querySelector("[data-controls]");
    if (!(fresh instanceof HTMLElement) || !(there instanceof HTMLElement)) return;
    if (fresh.dataset.controls !== there.dataset.controls) there.replaceWith(fresh);
  }
}

/** Which sample it is; its address changes with the hour. @param {HTMLImageElement} img */
function nameOf(img) {
  return img.dataset.name ?? img.src;
}

for (const root of document.querySelectorAll("[data-training]")) {
  if (root instanceof HTMLElement) new Live(root);
}
