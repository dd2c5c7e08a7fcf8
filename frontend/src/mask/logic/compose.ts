// All parts and the finish, as one mask.
import { signedDistances } from "./distance";
import { addTo, emptyField, enlarged, fromMask, paint, takeFrom, upscale } from "./field";
import type { Size } from "./geometry";
import type { Edits, Part } from "./model";
import { dropSpecks, fillHoles, grow, ramp } from "./morphology";

/** Finished masks on the working grid, 0..255, by the name that parts call them. */
export type Masks = ReadonlyMap<string, Uint8Array>;

export interface Sizes {
  readonly photo: Size;
  readonly working: Size;
}

/** A mask that is done but for its size: garment where the field is above 0; ``feather`` in pixels of the grid, 0 for a hard edge. */
export interface Composed {
  readonly field: Float32Array;
  readonly feather: number;
}

export function compose(edits: Edits, masks: Masks, sizes: Sizes): Composed {
  const { working, photo } = sizes;
  const scale = working.width / photo.width;
  let field = emptyField(working);
  for (const part of edits.parts) if (part.shown) apply(part, field, masks, sizes);
  if (edits.finish.fillHoles) fillHoles(field, working);
  if (edits.finish.dropSpecks) dropSpecks(field, working);
  if (edits.finish.grow) field = grow(field, working, edits.finish.grow * scale);
  if (!edits.finish.feather) return { field, feather: 0 };
  return { field: signedDistances(field, working), feather: edits.finish.feather * scale };
}

function apply(part: Part, field: Float32Array, masks: Masks, sizes: Sizes): void {
  const own = partField(part, masks, sizes);
  if (own) (part.adds ? addTo : takeFrom)(field, own);
  for (const stroke of part.strokes) paint(field, sizes.working, stroke, sizes.working.width / sizes.photo.width);
}

/** What a part marks before its strokes; ``null``: nothing yet. */
export function partField(part: Part, masks: Masks, sizes: Sizes): Float32Array | null {
  if (part.plane) return upscale(part.plane.logits, sizes.working, sizes.photo);
  const mask = part.proposal === null ? undefined : masks.get(part.proposal);
  return mask ? fromMask(mask) : null;
}

/** 0..255 for each pixel of the grid. */
export function toMask(composed: Composed): Uint8Array {
  return levels(composed.field, composed.feather, new Uint8Array(composed.field.length));
}

/** The mask at the photo's own size, row by row into one buffer. */
export function* fullRows(composed: Composed, sizes: Sizes): Generator<Uint8Array> {
  const row = new Uint8Array(sizes.photo.width);
  for (const values of enlarged(composed.field, sizes.working, sizes.photo)) yield levels(values, composed.feather, row);
}

function levels(values: Float32Array, feather: number, into: Uint8Array): Uint8Array {
  for (let at = 0; at < values.length; at += 1) {
    into[at] = feather ? Math.round(255 * ramp(values[at]!, feather)) : values[at]! > 0 ? 255 : 0;
  }
  return into;
}

/** The share of the photo that is garment, 0..1. */
export function share(mask: Uint8Array): number {
  let count = 0;
  for (const level of mask) if (level >= 128) count += 1;
  return mask.length ? count / mask.length : 0;
}
