// Everything that walks over pixels, off the page's thread.
import { type Composed, compose, fullRows, partField, share, toMask } from "../logic/compose";
import { contours, toPath } from "../logic/contours";
import { toLogits } from "../logic/field";
import { type Size, workingSize } from "../logic/geometry";
import type { Edits } from "../logic/model";
import { encodeGrey } from "../logic/png";
import { packEdits } from "../logic/serial";
import type { RasterCalls, Shown } from "./protocol";
import { serve, type Scope } from "./rpc";

const masks = new Map<string, Uint8Array>();
let sizes = { photo: { width: 1, height: 1 }, working: { width: 1, height: 1 } };

serve<RasterCalls>(self as unknown as Scope, {
  photo: (photo) => {
    sizes = { photo, working: workingSize(photo) };
    masks.clear();
    return null;
  },
  mask: ({ name, picture }) => {
    masks.set(name, grey(picture, sizes.working));
    return null;
  },
  compose: (edits) => show(compose(edits, masks, sizes)),
  preview: (part) => {
    const field = partField(part, masks, sizes);
    return { pixels: inked(field ? toMask({ field, feather: 0 }) : new Uint8Array(0)) };
  },
  logits: (part) => {
    const field = partField(part, masks, sizes);
    return { logits: field ? toLogits(field, sizes.working, sizes.photo) : null };
  },
  save,
  pack: async (edits) => ({ edits: await packEdits(edits, sizes.photo) }),
});

function show(composed: Composed): Shown {
  const mask = toMask(composed);
  const outline = toPath(contours(composed.field, sizes.working));
  const marked = share(mask);
  for (let at = 0; at < mask.length; at += 1) mask[at] = 255 - mask[at]!;
  return { pixels: inked(mask), outline, share: marked };
}

async function save(edits: Edits): Promise<{ png: Blob; edits: string; share: number }> {
  const composed = compose(edits, masks, sizes);
  const png = await encodeGrey(fullRows(composed, sizes), sizes.photo.width, sizes.photo.height);
  return { png, edits: await packEdits(edits, sizes.photo), share: share(toMask(composed)) };
}

/** Levels as how opaque black is. */
function inked(levels: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(levels.length * 4);
  for (let at = 0; at < levels.length; at += 1) pixels[at * 4 + 3] = levels[at]!;
  return pixels;
}

function grey(picture: ImageBitmap, size: Size): Uint8Array {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, size.width, size.height);
  const { data } = context.getImageData(0, 0, size.width, size.height);
  return Uint8Array.from({ length: size.width * size.height }, (_, at) => data[at * 4]!);
}
