// Which rows of a grid are to be drawn: those in view and some above and below, so that a flick finds them there already.

export interface Geometry {
  readonly columns: number;
  /** Height of a row with the gap below it, in px. */
  readonly row: number;
}

export interface Rows {
  /** Index of the first tile to draw, and one past the last. */
  readonly first: number;
  readonly end: number;
}

const OVERSCAN = 1; // screens above and below

/** The tiles of whole rows around the view; `top` is how far the grid's upper edge lies above the screen's. */
export function rowsInView(geometry: Geometry, top: number, screen: number, count: number): Rows {
  const { columns, row } = geometry;
  const last = Math.ceil(count / columns);
  const begin = Math.floor((top - OVERSCAN * screen) / row);
  const end = Math.ceil((top + (1 + OVERSCAN) * screen) / row);
  const first = Math.max(0, Math.min(begin, last - 1));
  return { first: first * columns, end: Math.min(count, Math.max(first + 1, Math.min(end, last)) * columns) };
}

/** The space that stands for the rows that are not drawn: above and below, in px. */
export function spaceAround(geometry: Geometry, drawn: Rows, count: number): { above: number; below: number } {
  const { columns, row } = geometry;
  const total = Math.ceil(count / columns);
  return { above: (drawn.first / columns) * row, below: Math.max(0, total - Math.ceil(drawn.end / columns)) * row };
}

/** How far down a tile's row begins, in px. */
export function topOf(geometry: Geometry, index: number): number {
  return Math.floor(index / geometry.columns) * geometry.row;
}
