// A mask while it is made is a field: float32 for each pixel of the working grid, garment where it is above 0. A field can be
// enlarged to the photo's own size and cut there, which a mask of yes and no could only be in steps.
import { LOW, type Point, type Size, squareScale } from "./geometry";
import type { Stroke } from "./model";

const OUTSIDE = -1e3; // what nothing is said about

export function emptyField(size: Size): Float32Array {
  return new Float32Array(size.width * size.height).fill(OUTSIDE);
}

/** Where each of ``count`` pixels' centres falls between the samples of a line: sample below, share of the one above. */
function places(count: number, step: number, samples: number): { at: Int32Array; share: Float32Array } {
  const at = new Int32Array(count);
  const share = new Float32Array(count);
  for (let pixel = 0; pixel < count; pixel += 1) {
    const place = Math.min(Math.max((pixel + 0.5) * step - 0.5, 0), samples - 1);
    at[pixel] = Math.min(Math.floor(place), Math.max(0, samples - 2));
    share[pixel] = place - at[pixel]!;
  }
  return { at, share };
}

/** The decoder's logits over the padded square, bilinearly on ``size``: the part of the square where the photo lies. */
export function upscale(logits: Float32Array, size: Size, photo: Size): Float32Array {
  const side = squareScale(photo) * (LOW / 1024); // samples for a pixel of the photo
  const columns = places(size.width, (side * photo.width) / size.width, LOW);
  const rows = places(size.height, (side * photo.height) / size.height, LOW);
  const field = new Float32Array(size.width * size.height);
  for (let y = 0; y < size.height; y += 1) {
    blendRow(logits, LOW, rows.at[y]!, rows.share[y]!, columns, field, y * size.width);
  }
  return field;
}

interface Columns {
  at: Int32Array;
  share: Float32Array;
}

function blendRow(source: Float32Array, width: number, row: number, below: number, columns: Columns, into: Float32Array, start: number): void {
  const top = row * width;
  const bottom = Math.min(top + width, source.length - width);
  for (let x = 0; x < columns.at.length; x += 1) {
    const left = columns.at[x]!;
    const right = Math.min(left + 1, width - 1);
    const share = columns.share[x]!;
    const above = source[top + left]! * (1 - share) + source[top + right]! * share;
    const under = source[bottom + left]! * (1 - share) + source[bottom + right]! * share;
    into[start + x] = above * (1 - below) + under * below;
  }
}

/** A finished mask (0..255, on the working grid) as a field whose edge is where it crosses the middle. */
export function fromMask(mask: Uint8Array): Float32Array {
  const field = new Float32Array(mask.length);
  for (let at = 0; at < mask.length; at += 1) field[at] = (mask[at]! - 127.5) / 16;
  return field;
}

/** A field of the working grid as the decoder's own logits, to be refined: at most +-8, nothing outside of the photo. */
export function toLogits(field: Float32Array, size: Size, photo: Size): Float32Array {
  const samples = squareScale(photo) * (LOW / 1024);
  const across = size.width / (photo.width * samples); // grid pixels for a sample
  const down = size.height / (photo.height * samples);
  const logits = new Float32Array(LOW * LOW).fill(-8);
  for (let y = 0; (y + 0.5) * down < size.height && y < LOW; y += 1) {
    for (let x = 0; (x + 0.5) * across < size.width && x < LOW; x += 1) {
      logits[y * LOW + x] = 16 * share(field, size, x * across, y * down, across, down) - 8;
    }
  }
  return logits;
}

/** Which part of a rectangle of the grid is inside. */
function share(field: Float32Array, size: Size, left: number, top: number, wide: number, high: number): number {
  let inside = 0;
  let count = 0;
  for (let y = Math.floor(top); y < Math.min(Math.max(top + high, Math.floor(top) + 1), size.height); y += 1) {
    for (let x = Math.floor(left); x < Math.min(Math.max(left + wide, Math.floor(left) + 1), size.width); x += 1) {
      inside += field[y * size.width + x]! > 0 ? 1 : 0;
      count += 1;
    }
  }
  return count ? inside / count : 0;
}

export function addTo(field: Float32Array, other: Float32Array): void {
  for (let at = 0; at < field.length; at += 1) if (other[at]! > field[at]!) field[at] = other[at]!;
}

export function takeFrom(field: Float32Array, other: Float32Array): void {
  for (let at = 0; at < field.length; at += 1) if (-other[at]! < field[at]!) field[at] = -other[at]!;
}

/** A pull of the brush or the eraser over a field; ``scale``: grid pixels for one of the photo's. */
export function paint(field: Float32Array, size: Size, stroke: Stroke, scale: number): void {
  const radius = stroke.radius * scale;
  const points = stroke.path;
  for (let at = 0; at < points.length; at += 2) {
    const next = Math.min(at + 2, points.length - 2);
    const from = { x: points[at]! * scale - 0.5, y: points[at + 1]! * scale - 0.5 };
    const to = { x: points[next]! * scale - 0.5, y: points[next + 1]! * scale - 0.5 };
    paintPiece(field, size, { from, to, radius, add: stroke.add });
  }
}

interface Piece {
  from: Point;
  to: Point;
  radius: number;
  add: boolean;
}

function paintPiece(field: Float32Array, size: Size, piece: Piece): void {
  const { from, to, radius, add } = piece;
  const x0 = Math.max(0, Math.floor(Math.min(from.x, to.x) - radius - 1));
  const x1 = Math.min(size.width - 1, Math.ceil(Math.max(from.x, to.x) + radius + 1));
  const y0 = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius - 1));
  const y1 = Math.min(size.height - 1, Math.ceil(Math.max(from.y, to.y) + radius + 1));
  for (let y = y0; y <= y1; y += 1) {
    for (let x = x0; x <= x1; x += 1) {
      const depth = radius - toSegment(x, y, from, to);
      const at = y * size.width + x;
      if (add ? depth > field[at]! : -depth < field[at]!) field[at] = add ? depth : -depth;
    }
  }
}

function toSegment(x: number, y: number, from: Point, to: Point): number {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const long = dx * dx + dy * dy;
  const along = long ? Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / long)) : 0;
  return Math.hypot(x - from.x - along * dx, y - from.y - along * dy);
}

/** Rows of a field enlarged to the photo's own size, one after the other into ``row``, so that 40 megapixels never stand in memory at once. */
export function* enlarged(field: Float32Array, size: Size, photo: Size): Generator<Float32Array> {
  const columns = places(photo.width, size.width / photo.width, size.width);
  const rows = places(photo.height, size.height / photo.height, size.height);
  const row = new Float32Array(photo.width);
  for (let y = 0; y < photo.height; y += 1) {
    blendRow(field, size.width, rows.at[y]!, rows.share[y]!, columns, row, 0);
    yield row;
  }
}
