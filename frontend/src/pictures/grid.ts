// The grid: draws the rows around the view, fetches the history as it is scrolled, and stands where it was left.
import { getJson } from "../shared/api";
import { keep, recall } from "./memory";
import { Shelf } from "./shelf";
import type { Stretch, Tile } from "./shelf";
import { readTile } from "./tiles";
import type { Tiles } from "./tiles";
import { rowsInView, spaceAround, topOf } from "./window";
import type { Geometry, Rows } from "./window";

const AHEAD = 3; // screens: so far below and above is fetched before it is seen
const FAR = 240; // places above that are not fetched one page after the other when the top is wanted
const PATIENCE = 4000; // ms before a page that did not come is asked for again

interface Wish {
  readonly name: "from" | "newer" | "older";
  readonly cursor: string;
  readonly take: (found: Stretch) => void;
}

export class Grid {
  shelf: Shelf;
  /** What is drawn, by id; places without a picture by their index. */
  private readonly drawn = new Map<string, HTMLElement>();
  private rows: Rows = { first: 0, end: 0 };
  private geometry: Geometry = { columns: 1, row: 1 };
  private loading = false;
  private reloads = 0;
  private frame = 0;

  constructor(
    readonly gallery: HTMLElement,
    private readonly feed: string,
    private readonly tiles: Tiles,
    cursors: { newer: string; older: string },
    /** Told of each tile that is drawn anew. */
    private readonly onDraw: (tile: Tile, drawn: HTMLElement) => void,
  ) {
    const first = [...gallery.querySelectorAll<HTMLElement>(".tile")].map(readTile);
    this.shelf = new Shelf(0, cursors.newer || null, cursors.older || null);
    this.shelf.append({ tiles: first, newer: null, older: cursors.older || null });
  }

  start(): void {
    history.scrollRestoration = "manual";
    this.measure();
    const place = recall();
    if (place && place.index > 0) this.restore(place.id, place.index, place.offset);
    this.gallery.replaceChildren();
    this.gallery.dataset.ready = "";
    this.draw();
    addEventListener("scroll", () => this.soon(), { passive: true });
    addEventListener("pagehide", () => this.remember());
    new ResizeObserver(() => this.resized()).observe(this.gallery);
  }

  /** The element of a loaded picture, scrolled into view and drawn. */
  show(index: number): HTMLElement | undefined {
    const tile = this.shelf.at(index);
    if (!tile) return undefined;
    const top = this.top();
    const row = topOf(this.geometry, index) - top;
    const low = row + this.geometry.row > innerHeight - 80;
    if (row < 72) scrollBy({ top: row - 72, behavior: "instant" });
    else if (low) scrollBy({ top: row + this.geometry.row - innerHeight + 80, behavior: "instant" });
    this.draw();
    return this.drawn.get(tile.id);
  }

  elementOf(id: string): HTMLElement | undefined {
    return this.drawn.get(id);
  }

  remove(ids: ReadonlySet<string>): void {
    this.shelf.remove(ids);
    this.redraw();
  }

  /** From the newest on, as if the page were opened afresh. */
  async reload(): Promise<void> {
    this.reloads += 1;
    const turn = this.reloads;
    const found = await getJson<Stretch>(null, this.feed);
    if (turn !== this.reloads) return; // a newer one is on its way
    this.shelf = new Shelf(0, null, found.older);
    this.shelf.append(found);
    this.redraw();
  }

  // ---- drawing
  private redraw(): void {
    for (const element of this.drawn.values()) element.remove();
    this.drawn.clear();
    this.draw();
  }

  private soon(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const count = this.shelf.end;
    this.rows = rowsInView(this.geometry, this.top(), innerHeight, count);
    this.place();
    const space = spaceAround(this.geometry, this.rows, count);
    this.gallery.style.setProperty("padding-top", `${space.above}px`);
    const more = this.shelf.older ? innerHeight : 0; // room to scroll on, and to stand where the page was left
    this.gallery.style.setProperty("padding-bottom", `${space.below + more}px`);
    void this.fetchAround();
  }

  /** Draws what is missing and takes off what is no longer near the view, without moving what stays. */
  private place(): void {
    const wanted = new Map<string, number>();
    for (let index = this.rows.first; index < this.rows.end; index += 1) {
      wanted.set(this.shelf.at(index)?.id ?? `blank-${index}`, index);
    }
    for (const [key, element] of this.drawn) {
      if (wanted.has(key)) continue;
      element.querySelector("a.picture > img")?.removeAttribute("src"); // what did not arrive need not arrive any more
      element.remove();
      this.drawn.delete(key);
    }
    let before: HTMLElement | null = null;
    for (const [key, index] of wanted) {
      const element: HTMLElement = this.drawn.get(key) ?? this.make(key, index);
      const next: Element | null = before ? before.nextElementSibling : this.gallery.firstElementChild;
      if (element !== next) this.gallery.insertBefore(element, next);
      before = element;
    }
  }

  private make(key: string, index: number): HTMLElement {
    const tile = this.shelf.at(index);
    const element = tile ? this.tiles.draw(tile) : this.tiles.blank();
    if (tile) this.onDraw(tile, element);
    this.drawn.set(key, element);
    return element;
  }

  // ---- measuring
  /** How far the grid's upper edge lies above the screen's. */
  private top(): number {
    return -this.gallery.getBoundingClientRect().top;
  }

  private measure(): void {
    const style = getComputedStyle(this.gallery);
    const columns = style.gridTemplateColumns.split(" ").length;
    const sample = this.gallery.querySelector<HTMLElement>(".tile");
    if (!sample) return;
    this.geometry = { columns, row: sample.getBoundingClientRect().height + parseFloat(style.rowGap) };
  }

  /** Another width has other columns: the picture that was first in view stays there. */
  private resized(): void {
    const before = this.geometry;
    const index = this.firstInView();
    this.measure();
    if (before.columns === this.geometry.columns && Math.abs(before.row - this.geometry.row) < 0.5) return;
    const moved = topOf(this.geometry, index) - topOf(before, index);
    this.draw();
    if (index > 0) scrollBy({ top: moved, behavior: "instant" });
  }

  // ---- fetching
  private async fetchAround(): Promise<void> {
    if (this.loading) return;
    const farAbove = this.rows.first === 0 && this.shelf.first > FAR; // the key Home, after a way back
    const ask = farAbove ? null : this.wish();
    if (!ask && !farAbove) return;
    this.loading = true;
    try {
      await (ask ? this.fetchMore(ask) : this.reload());
    } catch {
      await new Promise((resolve) => setTimeout(resolve, PATIENCE));
    } finally {
      this.loading = false;
    }
    this.draw();
  }

  /** A page of a shelf that was replaced meanwhile has no place in the new one. */
  private async fetchMore({ name, cursor, take }: Wish): Promise<void> {
    const { shelf } = this;
    const found = await getJson<Stretch>(null, this.address(name, cursor));
    if (shelf === this.shelf) take(found);
  }

  private wish(): Wish | null {
    const { newer, older, first, end } = this.shelf;
    const near = Math.ceil((AHEAD * innerHeight) / this.geometry.row) * this.geometry.columns;
    if (older && end === first) return { name: "from", cursor: older, take: (found) => this.shelf.append(found) };
    if (newer && this.rows.first <= first + near) {
      return { name: "newer", cursor: newer, take: (found) => this.prepended(found) };
    }
    if (older && this.rows.end + near >= end) {
      return { name: "older", cursor: older, take: (found) => this.shelf.append(found) };
    }
    return null;
  }

  private prepended(found: Stretch): void {
    const wrong = this.shelf.prepend(found);
    if (wrong) scrollBy({ top: topOf(this.geometry, Math.abs(wrong)) * Math.sign(wrong), behavior: "instant" });
  }

  private address(name: Wish["name"], cursor: string): string {
    return `${this.feed}${this.feed.includes("?") ? "&" : "?"}${name}=${cursor}`;
  }

  // ---- where it was left
  private restore(id: string, index: number, offset: number): void {
    if (this.shelf.indexOf(id) < 0) this.shelf = new Shelf(index, id, id);
    const space = spaceAround(this.geometry, { first: 0, end: 0 }, index + 1).below + innerHeight;
    this.gallery.style.setProperty("padding-bottom", `${space}px`);
    scrollTo({ top: scrollY - this.top() + topOf(this.geometry, index) - offset, behavior: "instant" });
  }

  private firstInView(): number {
    const row = Math.max(0, Math.floor((this.top() + 1) / this.geometry.row));
    return Math.min(row * this.geometry.columns, Math.max(0, this.shelf.end - 1));
  }

  private remember(): void {
    const index = this.firstInView();
    const tile = this.shelf.at(index);
    if (tile) keep({ id: tile.id, index, offset: topOf(this.geometry, index) - this.top() });
  }
}
