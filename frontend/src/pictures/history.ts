// The Pictures page: the form that the server drew becomes a grid that stays light at ten thousand pictures.
import { readWords } from "../shared/words";
import { Deeds } from "./deeds";
import { Grid } from "./grid";
import { Hands } from "./hands";
import { Picks } from "./picks";
import { Tiles, favour } from "./tiles";

const BY_SCRIPT = new Set(["favourite", "unfavourite", "tag", "delete", "restore"]); // a download is the browser's to save

class History {
  private readonly picks = new Picks(() => this.count());
  private readonly deeds: Deeds;
  private readonly grid: Grid;
  private here = "";

  constructor(
    private readonly form: HTMLFormElement,
    gallery: HTMLElement,
    template: HTMLTemplateElement,
  ) {
    const words = readWords("pictures");
    const { feed = "", newer = "", older = "" } = form.dataset;
    // not form.action: its buttons are called "action" and stand in front of it
    this.deeds = new Deeds(form.getAttribute("action") ?? "", words);
    const tiles = new Tiles(template, words);
    this.grid = new Grid(gallery, feed, tiles, { newer, older }, (tile, drawn) => this.dress(tile.id, drawn));
    new Hands({
      gallery,
      picks: this.picks,
      between: (from, to) => this.between(from, to),
      heart: (id, button) => void this.heart(id, button),
      go: (step) => this.go(step),
      here: () => this.grid.elementOf(this.here),
    });
    form.addEventListener("submit", (event) => this.submit(event));
    gallery.addEventListener("focusin", (event) => this.focused(event));
    this.grid.start();
    this.count();
  }

  /** What a tile shows besides its picture: whether it is chosen, and whether the keys stand on it. */
  private dress(id: string, drawn: HTMLElement): void {
    const pick = drawn.querySelector<HTMLInputElement>(".tile-pick");
    if (pick) pick.checked = this.picks.has(id);
    drawn.classList.toggle("here", id === this.here);
  }

  private count(): void {
    const bar = this.form.querySelector<HTMLElement>(".selection-bar");
    if (!bar) return;
    bar.hidden = this.picks.size === 0;
    this.grid?.gallery.classList.toggle("choosing", this.picks.size > 0);
    for (const place of bar.querySelectorAll("[data-count]")) place.textContent = String(this.picks.size);
    for (const drawn of this.form.querySelectorAll<HTMLElement>(".tile[data-id]")) this.dress(drawn.dataset.id ?? "", drawn);
  }

  private between(from: string, to: string): readonly string[] {
    const { shelf } = this.grid;
    const [low = 0, high = 0] = [shelf.indexOf(from), shelf.indexOf(to)].sort((a, b) => a - b);
    if (low < 0) return [to];
    return Array.from({ length: high - low + 1 }, (_, step) => shelf.at(low + step)?.id ?? to);
  }

  private go(step: number): void {
    const { shelf } = this.grid;
    const at = shelf.indexOf(this.here);
    const index = at < 0 ? shelf.first : Math.max(shelf.first, Math.min(shelf.end - 1, at + step));
    this.stand(shelf.at(index)?.id ?? "");
    this.grid.show(index)?.querySelector<HTMLElement>("a.picture")?.focus({ preventScroll: true });
  }

  private stand(id: string): void {
    this.grid.elementOf(this.here)?.classList.remove("here");
    this.here = id;
    this.grid.elementOf(id)?.classList.add("here");
  }

  private focused(event: FocusEvent): void {
    const tile = event.target instanceof Element ? event.target.closest<HTMLElement>(".tile[data-id]") : null;
    if (tile?.dataset.id) this.stand(tile.dataset.id);
  }

  private async heart(id: string, button: HTMLButtonElement): Promise<void> {
    const tile = this.grid.shelf.at(this.grid.shelf.indexOf(id));
    if (!tile) return;
    tile.favourite = !tile.favourite; // at once; put back if the server says no
    this.redrawHeart(id);
    tile.favourite = await this.deeds.favourite(button.formAction, tile.favourite);
    this.redrawHeart(id);
  }

  private redrawHeart(id: string): void {
    const tile = this.grid.shelf.at(this.grid.shelf.indexOf(id));
    const drawn = this.grid.elementOf(id);
    if (tile && drawn) favour(drawn, tile);
  }

  private submit(event: SubmitEvent): void {
    const button = event.submitter instanceof HTMLButtonElement ? event.submitter : null;
    if (button && BY_SCRIPT.has(button.value)) {
      event.preventDefault();
      void this.act(button.value);
    } else this.carry();
  }

  private async act(action: string): Promise<void> {
    const ids = [...this.picks.ids];
    const field = this.form.elements.namedItem("tag");
    const more: Record<string, string> = action === "tag" && field instanceof HTMLInputElement ? { tag: field.value } : {};
    const undo = action === "delete" ? { action: "restore", undone: () => void this.grid.reload().catch((error: unknown) => this.deeds.say(error)) } : undefined;
    if (!(await this.deeds.all(action, ids, more, undo))) return;
    this.show(action, ids);
    this.picks.clear();
  }

  private show(action: string, ids: readonly string[]): void {
    if (action === "delete" || action === "restore") return this.grid.remove(new Set(ids));
    if (action === "tag") return;
    for (const id of ids) {
      const tile = this.grid.shelf.at(this.grid.shelf.indexOf(id));
      if (tile) tile.favourite = action === "favourite";
      this.redrawHeart(id);
    }
  }

  /** Chosen pictures that are not drawn at the moment go along with the form. */
  private carry(): void {
    for (const old of this.form.querySelectorAll("input[data-carried]")) old.remove();
    for (const id of this.picks.ids) {
      if (this.grid.elementOf(id)) continue;
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = "pictures";
      field.value = id;
      field.dataset.carried = "";
      this.form.append(field);
    }
  }
}

export function mountHistory(form: HTMLElement): void {
  const gallery = form.querySelector<HTMLElement>(".gallery");
  const template = form.querySelector<HTMLTemplateElement>("template[data-tile]");
  if (form instanceof HTMLFormElement && gallery && template) new History(form, gallery, template);
}
