// The edge's finish: small holes and specks, wider and narrower, soft. Radii are pixels of the grid; neighbourhoods are Euclidean
// discs; the arithmetic is that of studio.segmentation.masks, so that both sides mean the same by "2 pixels".
import { signedDistances } from "./distance";
import type { Size } from "./geometry";

/** What is smaller than this share of the photo is a hole or a speck. */
export const SMALL = 0.001;

/** Regions (joined by sides) of pixels that ``is`` says yes to: each pixel's region from 1, 0 for the others. */
export function regions(is: (at: number) => boolean, size: Size): { labels: Int32Array; areas: number[]; touchesFrame: boolean[] } {
  const labels = new Int32Array(size.width * size.height);
  const areas = [0];
  const touchesFrame = [true];
  const queue = new Int32Array(labels.length);
  for (let seed = 0; seed < labels.length; seed += 1) {
    if (labels[seed] || !is(seed)) continue;
    const found = flood(is, size, labels, queue, seed, areas.length);
    areas.push(found.area);
    touchesFrame.push(found.frame);
  }
  return { labels, areas, touchesFrame };
}

function flood(is: (at: number) => boolean, size: Size, labels: Int32Array, queue: Int32Array, seed: number, label: number): { area: number; frame: boolean } {
  const { width } = size;
  let head = 0;
  let tail = 1;
  let frame = false;
  queue[0] = seed;
  labels[seed] = label;
  const visit = (next: number): void => {
    if (labels[next] || !is(next)) return;
    labels[next] = label;
    queue[tail++] = next;
  };
  while (head < tail) {
    const at = queue[head++]!;
    const x = at % width;
    const y = (at - x) / width;
    frame ||= x === 0 || y === 0 || x === width - 1 || y === size.height - 1;
    if (x > 0) visit(at - 1);
    if (x < width - 1) visit(at + 1);
    if (y > 0) visit(at - width);
    if (y < size.height - 1) visit(at + width);
  }
  return { area: tail, frame };
}

/** Small holes become garment; what the frame cuts off is no hole. */
export function fillHoles(field: Float32Array, size: Size): void {
  const largest = SMALL * field.length;
  const found = regions((at) => field[at]! <= 0, size);
  for (let at = 0; at < field.length; at += 1) {
    const region = found.labels[at]!;
    if (region && !found.touchesFrame[region] && found.areas[region]! <= largest) field[at] = 1 - field[at]!;
  }
}

/** Small islands go, but never all of them. */
export function dropSpecks(field: Float32Array, size: Size): void {
  const found = regions((at) => field[at]! > 0, size);
  const main = Math.max(...found.areas);
  const least = Math.min(SMALL * field.length, main);
  for (let at = 0; at < field.length; at += 1) {
    const region = found.labels[at]!;
    if (region && found.areas[region]! < least) field[at] = -1 - field[at]!;
  }
}

/** The edge ``by`` pixels further out, or in when it is below 0; a field whose values are distances from the new edge. */
export function grow(field: Float32Array, size: Size, by: number): Float32Array {
  const signed = signedDistances(field, size);
  // expand: distance to the garment <= by, which is signed >= 0.5 - by; shrink: distance to the rest > -by
  const move = by > 0 ? by - 0.5 + 1e-4 : by + 0.5;
  for (let at = 0; at < signed.length; at += 1) signed[at] = signed[at]! + move;
  return signed;
}

/** How much a pixel at a signed distance belongs to the garment: linear across the edge, half of ``radius`` * 2 wide. */
export function ramp(signed: number, radius: number): number {
  return Math.min(1, Math.max(0, 0.5 + signed / (2 * radius)));
}
