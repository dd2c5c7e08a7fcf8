// The outline of a mask as an SVG path: marching squares (Lorensen and Cline's cubes in two dimensions) with the crossing
// interpolated, so that the line is smooth at any zoom. Coordinates are pixels of the grid; a pixel's centre is at +0.5.
import type { Size } from "./geometry";

/** Where field = 0 crosses: closed lines, x, y, x, y, ... */
export function contours(field: Float32Array, size: Size): number[][] {
  const next = segments(field, size);
  const lines: number[][] = [];
  for (const first of next.keys()) {
    const line: number[] = [];
    let edge: number | undefined = first;
    while (edge !== undefined && next.has(edge)) {
      const following: number = next.get(edge)!;
      next.delete(edge);
      line.push(...crossing(field, size, edge));
      edge = following;
    }
    if (line.length >= 6) lines.push(line);
  }
  return lines;
}

// Cells lie between four pixels, with a frame of nothing around the picture: cell (cx, cy) has the pixels (cx - 1, cy - 1) to
// (cx, cy). An edge is 2 * cell for the cell's top side, 2 * cell + 1 for its left side.
function segments(field: Float32Array, size: Size): Map<number, number> {
  const next = new Map<number, number>();
  for (let cy = 0; cy <= size.height; cy += 1) {
    let left = (isIn(field, size, -1, cy - 1) ? 1 : 0) | (isIn(field, size, -1, cy) ? 8 : 0);
    for (let cx = 0; cx <= size.width; cx += 1) {
      const right = (isIn(field, size, cx, cy - 1) ? 2 : 0) | (isIn(field, size, cx, cy) ? 4 : 0);
      const corners = left | right;
      left = (right & 2 ? 1 : 0) | (right & 4 ? 8 : 0);
      if (corners !== 0 && corners !== 15) link(next, corners, cx, cy, size.width + 1);
    }
  }
  return next;
}

const TOP = 0;
const RIGHT = 1;
const BOTTOM = 2;
const LEFT = 3;
// Corners: 1 top left, 2 top right, 4 bottom right, 8 bottom left. Pairs from -> to with the garment on the right hand;
// a saddle keeps its two corners apart.
const WAYS: readonly (readonly number[])[] = [
  [], [TOP, LEFT], [RIGHT, TOP], [RIGHT, LEFT], [BOTTOM, RIGHT], [TOP, LEFT, BOTTOM, RIGHT], [BOTTOM, TOP], [BOTTOM, LEFT],
  [LEFT, BOTTOM], [TOP, BOTTOM], [RIGHT, TOP, LEFT, BOTTOM], [RIGHT, BOTTOM], [LEFT, RIGHT], [TOP, RIGHT], [LEFT, TOP], [],
];

function link(next: Map<number, number>, corners: number, cx: number, cy: number, cells: number): void {
  const ways = WAYS[corners]!;
  for (let at = 0; at < ways.length; at += 2) next.set(edgeOf(ways[at]!, cx, cy, cells), edgeOf(ways[at + 1]!, cx, cy, cells));
}

function edgeOf(side: number, cx: number, cy: number, cells: number): number {
  if (side === TOP) return 2 * (cy * cells + cx);
  if (side === BOTTOM) return 2 * ((cy + 1) * cells + cx);
  return 2 * (cy * cells + cx + (side === RIGHT ? 1 : 0)) + 1; // a row's last cell has nothing on its right side
}

function isIn(field: Float32Array, size: Size, x: number, y: number): boolean {
  return x >= 0 && y >= 0 && x < size.width && y < size.height && field[y * size.width + x]! > 0;
}

function crossing(field: Float32Array, size: Size, edge: number): [number, number] {
  const cells = size.width + 1;
  const cell = Math.floor(edge / 2);
  const cx = cell % cells;
  const cy = (cell - cx) / cells;
  // a top side lies between two pixels of a row, a left side between two of a column
  const along = edge % 2 === 0 ? between(field, size, cx - 1, cy - 1, 1, 0) : between(field, size, cx - 1, cy - 1, 0, 1);
  const x = cx - 0.5 + (edge % 2 === 0 ? along : 0);
  const y = cy - 0.5 + (edge % 2 === 0 ? 0 : along);
  return [Math.min(Math.max(x, 0), size.width), Math.min(Math.max(y, 0), size.height)];
}

function between(field: Float32Array, size: Size, x: number, y: number, dx: number, dy: number): number {
  const near = value(field, size, x, y);
  const far = value(field, size, x + dx, y + dy);
  if (near === null || far === null) return 0.5; // the frame
  return Math.min(1, Math.max(0, near / (near - far)));
}

function value(field: Float32Array, size: Size, x: number, y: number): number | null {
  return x >= 0 && y >= 0 && x < size.width && y < size.height ? field[y * size.width + x]! : null;
}

/** Lines as the ``d`` of a path, without points that lie on the line between their neighbours anyway. */
export function toPath(lines: readonly number[][], tolerance = 0.25): string {
  return lines.map((line) => `M${pairs(thinned(line, tolerance))}Z`).join("");
}

function pairs(line: readonly number[]): string {
  const words: string[] = [];
  for (let at = 0; at < line.length; at += 2) words.push(`${line[at]!.toFixed(1)} ${line[at + 1]!.toFixed(1)}`);
  return words.join("L");
}

/** Keeps a point once the line to it from the last kept one would miss a point between by more than ``tolerance``. */
export function thinned(line: readonly number[], tolerance: number): number[] {
  const kept = [line[0]!, line[1]!];
  let from = 0;
  for (let at = 4; at < line.length; at += 2) {
    if (missed(line, from, at) <= tolerance && at - from < 64) continue;
    from = at - 2;
    kept.push(line[from]!, line[from + 1]!);
  }
  if (line.length > 2) kept.push(line[line.length - 2]!, line[line.length - 1]!);
  return kept;
}

function missed(line: readonly number[], from: number, to: number): number {
  const dx = line[to]! - line[from]!;
  const dy = line[to + 1]! - line[from + 1]!;
  const long = Math.hypot(dx, dy) || 1;
  let worst = 0;
  for (let at = from + 2; at < to; at += 2) {
    worst = Math.max(worst, Math.abs((line[at]! - line[from]!) * dy - (line[at + 1]! - line[from + 1]!) * dx) / long);
  }
  return worst;
}
