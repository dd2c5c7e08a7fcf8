// @ts-check
// Choosing pictures: <form> with .gallery > .tile (> input.tile-pick + a.picture [+ form/button data-favourite]) and a
// .selection-bar with [data-count] (hidden while nothing is chosen; without JavaScript it always shows). Shift-click picks a range, a long press starts picking, then a tap picks.
// Keys: j and k go to the next and previous picture, x picks it, f presses its [data-favourite] button, Escape lets go.

const LONG_PRESS = 450; // ms

class Gallery {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.bar = document.querySelector(".selection-bar");
    this.here = -1;
    /** @type {HTMLInputElement | null} */
    this.last = null;
    root.addEventListener("click", (event) => this.click(event), true);
    root.addEventListener("change", () => this.count());
    root.addEventListener("contextmenu", (event) => this.pressed && event.preventDefault());
    document.addEventListener("keydown", (event) => this.key(event));
    this.watchLongPress();
    this.count();
  }

  /** @returns {HTMLElement[]} */
  get tiles() {
    return /** @type {HTMLElement[]} */ ([...this.root.querySelectorAll(".tile")]);
  }

  /** @returns {HTMLInputElement[]} */
  get picks() {
    return /** @type {HTMLInputElement[]} */ ([...this.root.querySelectorAll(".tile-pick")]);
  }

  get picking() {
    return this.picks.some((pick) => pick.checked);
  }

  /** @param {MouseEvent} event */
  click(event) {
    const target = event.target instanceof Element ? event.target : null;
    const tile = target?.closest(".tile");
    const pick = /** @type {HTMLInputElement | null} */ (tile?.querySelector(".tile-pick") ?? null);
    if (!tile || !pick || target?.closest("button")) return;
    const direct = target === pick;
    if (!direct && !target?.closest(".picture")) return;
    if (!direct && !event.shiftKey && !this.pressed && !(this.touch && this.picking)) return;
    if (!direct) {
      event.preventDefault();
      if (!this.pressed) pick.checked = !pick.checked;
    }
    this.pressed = false;
    if (event.shiftKey && this.last) this.range(this.last, pick);
    this.last = pick;
    this.count();
  }

  /**
   * @param {HTMLInputElement} from
   * @param {HTMLInputElement} to
   */
  range(from, to) {
    const { picks } = this;
    const [low, high] = [picks.indexOf(from), picks.indexOf(to)].sort((a, b) => a - b);
    for (const pick of picks.slice(low, high + 1)) pick.checked = to.checked;
  }

  watchLongPress() {
    this.pressed = false;
    this.touch = false;
    /** @type {number | undefined} */
    let timer;
    this.root.addEventListener("pointerdown", (event) => {
      this.touch = event.pointerType === "touch";
      const tile = event.target instanceof Element ? event.target.closest(".tile") : null;
      const pick = tile?.querySelector(".tile-pick");
      if (!this.touch || !(pick instanceof HTMLInputElement)) return;
      timer = window.setTimeout(() => {
        this.pressed = true;
        pick.checked = !pick.checked;
        this.last = pick;
        this.count();
      }, LONG_PRESS);
    });
    for (const end of ["pointerup", "pointercancel", "pointermove"]) {
      this.root.addEventListener(end, () => clearTimeout(timer));
    }
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const typing = event.target instanceof Element && event.target.closest("input:not(.tile-pick), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "j") this.go(this.here + 1);
    else if (event.key === "k") this.go(this.here - 1);
    else if (event.key === "x") this.current(".tile-pick")?.click();
    else if (event.key === "f") this.current("[data-favourite]")?.click();
    else if (event.key === "Escape") this.letGo();
  }

  /** @param {number} place */
  go(place) {
    const { tiles } = this;
    this.here = Math.max(0, Math.min(tiles.length - 1, place));
    tiles.forEach((tile, index) => tile.classList.toggle("here", index === this.here));
    const link = tiles[this.here]?.querySelector("a.picture");
    if (link instanceof HTMLElement) link.focus();
    tiles[this.here]?.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement | null | undefined}
   */
  current(selector) {
    return /** @type {HTMLElement | null | undefined} */ (this.tiles[this.here]?.querySelector(selector));
  }

  letGo() {
    for (const pick of this.picks) pick.checked = false;
    this.count();
  }

  count() {
    const chosen = this.picks.filter((pick) => pick.checked).length;
    if (!(this.bar instanceof HTMLElement)) return;
    this.bar.hidden = chosen === 0;
    for (const place of this.bar.querySelectorAll("[data-count]")) place.textContent = String(chosen);
  }
}

for (const root of document.querySelectorAll(".gallery")) {
  if (root instanceof HTMLElement && root.querySelector(".tile-pick")) new Gallery(root);
}
