// Hands on the grid: clicks, shift for a range, a long press on glass, and the keys j k x f.
import type { Picks } from "./picks";

const LONG_PRESS = 450; // ms

export interface Reach {
  readonly gallery: HTMLElement;
  readonly picks: Picks;
  /** Ids from one to the other, both included, in the grid's order. */
  between(from: string, to: string): readonly string[];
  heart(id: string, button: HTMLButtonElement): void;
  /** The tile so many steps on from the current one is made the current one. */
  go(step: number): void;
  /** The current tile's element, if one is current. */
  here(): HTMLElement | undefined;
}

export class Hands {
  /** A long press has just chosen something: the click that ends it does nothing more. */
  private pressed = false;
  private touch = false;
  private timer = 0;

  constructor(private readonly reach: Reach) {
    const { gallery } = reach;
    gallery.addEventListener("click", (event) => this.click(event), true);
    gallery.addEventListener("contextmenu", (event) => this.touch && event.preventDefault());
    gallery.addEventListener("pointerdown", (event) => this.down(event));
    for (const end of ["pointerup", "pointercancel", "pointermove"]) {
      gallery.addEventListener(end, () => clearTimeout(this.timer), { passive: true });
    }
    document.addEventListener("keydown", (event) => this.key(event));
  }

  private click(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    const id = target?.closest<HTMLElement>(".tile[data-id]")?.dataset.id;
    if (!target || !id) return;
    const heart = target.closest<HTMLButtonElement>("[data-favourite]");
    if (heart) {
      event.preventDefault();
      this.reach.heart(id, heart);
    } else if (target.closest(".picture")) this.onPicture(event, id);
    else if (target instanceof HTMLInputElement) this.choose(id, target.checked, event.shiftKey);
  }

  /** A tap opens it, unless something is being chosen. */
  private onPicture(event: MouseEvent, id: string): void {
    const { picks } = this.reach;
    const choosing = event.shiftKey || (this.touch && picks.size > 0);
    if (!this.pressed && !choosing) return;
    event.preventDefault();
    if (!this.pressed) this.choose(id, !picks.has(id), event.shiftKey);
    this.pressed = false;
  }

  private choose(id: string, on: boolean, range: boolean): void {
    const { picks } = this.reach;
    if (range) picks.rangeTo(id, on, (from, to) => this.reach.between(from, to));
    else picks.set(id, on);
  }

  private down(event: PointerEvent): void {
    this.touch = event.pointerType === "touch";
    this.pressed = false;
    const target = event.target instanceof Element ? event.target : null;
    const id = target?.closest(".picture")?.closest<HTMLElement>(".tile[data-id]")?.dataset.id;
    if (!this.touch || !id) return;
    this.timer = window.setTimeout(() => {
      this.pressed = true;
      this.reach.picks.toggle(id);
    }, LONG_PRESS);
  }

  private key(event: KeyboardEvent): void {
    const typing = event.target instanceof Element && event.target.closest("input:not(.tile-pick), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const deeds: Record<string, () => void> = {
      j: () => this.reach.go(1),
      k: () => this.reach.go(-1),
      x: () => this.reach.here()?.querySelector<HTMLElement>(".tile-pick")?.click(),
      f: () => this.reach.here()?.querySelector<HTMLElement>("[data-favourite]")?.click(),
      Escape: () => this.reach.picks.clear(),
    };
    deeds[event.key]?.();
  }
}
