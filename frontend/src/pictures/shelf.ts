// The pictures that are loaded: one unbroken stretch of the history, with a place for those above it that are not.
//
// Nothing counts the history (docs/generation.md), so how many there are below is unknown until the end is reached. Above,
// after a way back, the number is the one that was there when the page was left; it is put right when the top comes into view.

export interface Tile {
  readonly id: string;
  readonly image: string;
  readonly name: string;
  readonly href: string;
  readonly width: number;
  readonly height: number;
  readonly verdict: string;
  favourite: boolean;
}

/** A page of the feed; the cursors are null at the ends. */
export interface Stretch {
  readonly tiles: readonly Tile[];
  readonly newer: string | null;
  readonly older: string | null;
}

export class Shelf {
  private tiles: Tile[] = [];
  private readonly places = new Map<string, number>();

  constructor(
    /** How many lie above the first one that is loaded. */
    private above: number,
    private newerCursor: string | null,
    private olderCursor: string | null,
  ) {}

  /** Where to go on, upwards and downwards. */
  get newer(): string | null {
    return this.above > 0 ? this.newerCursor : null;
  }

  get older(): string | null {
    return this.olderCursor;
  }

  /** Index of the first loaded picture, and one past the last. */
  get first(): number {
    return this.above;
  }

  get end(): number {
    return this.above + this.tiles.length;
  }

  at(index: number): Tile | undefined {
    return this.tiles[index - this.above];
  }

  indexOf(id: string): number {
    const place = this.places.get(id);
    return place === undefined ? -1 : place + this.above;
  }

  append({ tiles, older }: Stretch): void {
    for (const tile of tiles) {
      if (this.places.has(tile.id)) continue;
      this.places.set(tile.id, this.tiles.length);
      this.tiles.push(tile);
    }
    this.olderCursor = older;
  }

  /** How many rows' worth of pictures the view has to move down by: more came than there were places for, or fewer. */
  prepend({ tiles, newer }: Stretch): number {
    const fresh = tiles.filter((tile) => !this.places.has(tile.id));
    this.tiles = [...fresh, ...this.tiles];
    this.above -= fresh.length;
    this.newerCursor = newer;
    this.renumber();
    const wrong = newer === null || this.above < 0 ? -this.above : 0;
    this.above += wrong;
    return wrong;
  }

  /** Take these off, because they went to the bin; the places of the others close up. */
  remove(ids: ReadonlySet<string>): void {
    this.tiles = this.tiles.filter((tile) => !ids.has(tile.id));
    this.renumber();
  }

  private renumber(): void {
    this.places.clear();
    this.tiles.forEach((tile, place) => this.places.set(tile.id, place));
  }
}
