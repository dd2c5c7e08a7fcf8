// What the two workers can be asked.
import type { Size } from "../logic/geometry";
import type { Edits, Part } from "../logic/model";
import type { Decoded, Prompt } from "../logic/prompts";

/** The model's worker: onnxruntime-web. */
export interface ModelCalls {
  /** Download runtime and decoder: as long as the line takes. */
  load: { ask: { decoder: string }; answer: { milliseconds: number } };
  /** Start them: a moment, or never where threads hang. */
  open: { ask: { threads: number }; answer: { milliseconds: number } };
  /** Fetch an embedding, and decode once: the first click is three times as slow. */
  embed: { ask: { url: string }; answer: { milliseconds: number } };
  /** Make an embedding of a picture here. */
  encode: { ask: { encoder: string; picture: ImageBitmap }; answer: { milliseconds: number } };
  decode: { ask: { prompt: Prompt; photo: Size }; answer: Decoded & { milliseconds: number } };
}

/** The mask's worker: everything that walks over pixels. */
export interface RasterCalls {
  photo: { ask: Size; answer: null };
  /** A finished mask by the name that parts will call it. */
  mask: { ask: { name: string; picture: ImageBitmap }; answer: null };
  compose: { ask: Edits; answer: Shown };
  /** What one part alone marks, for the preview under the pointer. */
  preview: { ask: Part; answer: { pixels: Uint8ClampedArray<ArrayBuffer> } };
  /** What a part marks as the decoder's logits. */
  logits: { ask: Part; answer: { logits: Float32Array | null } };
  save: { ask: Edits; answer: { png: Blob; edits: string; share: number } };
  pack: { ask: Edits; answer: { edits: string } };
}

export interface Shown {
  /** RGBA of the working grid: opaque where it is not garment. The page colours it. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
  /** The outline as the ``d`` of an SVG path, in pixels of the working grid. */
  readonly outline: string;
  readonly share: number;
}
