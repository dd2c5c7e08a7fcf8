// Clicks and boxes as SAM's decoder takes them (segment_anything.utils.onnx, and its notebook onnx_model_example).
import { type Box, LOW, type Size, squareScale } from "./geometry";
import type { Candidates, Click, Plane } from "./model";

const ADD = 1;
const REMOVE = 0;
const PADDING = -1; // one more point at (0, 0), always there when no box is: the decoder was traced with it
const TOP_LEFT = 2;
const BOTTOM_RIGHT = 3;

export interface Prompt {
  readonly clicks: readonly Click[];
  readonly box: Box | null;
  /** The last answer, to be refined. */
  readonly mask: Float32Array | null;
}
export interface PromptArrays {
  readonly coords: Float32Array; // (1, N, 2)
  readonly labels: Float32Array; // (1, N)
  readonly maskInput: Float32Array; // (1, 1, 256, 256)
  readonly hasMaskInput: Float32Array; // (1,)
}
export interface Decoded {
  /** Four planes of LOW x LOW logits, one after the other. */
  readonly planes: Float32Array;
  readonly iou: readonly number[];
}

export function promptArrays(prompt: Prompt, photo: Size): PromptArrays {
  const { box, clicks } = prompt;
  const points = clicks.map(({ x, y, add }) => [x, y, add ? ADD : REMOVE] as const);
  const corners = box ? ([[box.x0, box.y0, TOP_LEFT], [box.x1, box.y1, BOTTOM_RIGHT]] as const) : ([[0, 0, PADDING]] as const);
  const all = [...points, ...corners];
  const scale = squareScale(photo);
  return {
    coords: Float32Array.from(all.flatMap(([x, y]) => [x * scale, y * scale])),
    labels: Float32Array.from(all.map(([, , label]) => label)),
    maskInput: prompt.mask ?? new Float32Array(LOW * LOW),
    hasMaskInput: Float32Array.of(prompt.mask ? 1 : 0),
  };
}

/** A first click alone may mean the sleeve, the jacket or the person: then there are three answers to choose from. */
export function isAmbiguous(prompt: Prompt): boolean {
  return prompt.clicks.length === 1 && !prompt.box && !prompt.mask;
}

export interface Answer {
  readonly plane: Plane;
  readonly candidates: Candidates | null;
}

/** What to show of an answer: of an ambiguous prompt the likeliest of the three, otherwise the single mask. */
export function chooseAnswer(decoded: Decoded, ambiguous: boolean, id: string): Answer {
  if (!ambiguous) return { plane: { id, logits: planeAt(decoded, 0) }, candidates: null };
  const likeliest = [1, 2, 3].reduce((best, at) => (decoded.iou[at]! > decoded.iou[best]! ? at : best), 1);
  const bySize = [1, 2, 3].sort((a, b) => marked(planeAt(decoded, a)) - marked(planeAt(decoded, b)));
  const planes = bySize.map((at) => ({ id: `${id}.${at}`, logits: planeAt(decoded, at) }));
  const chosen = bySize.indexOf(likeliest);
  return { plane: planes[chosen]!, candidates: { planes, chosen } };
}

function planeAt(decoded: Decoded, at: number): Float32Array {
  return decoded.planes.slice(at * LOW * LOW, (at + 1) * LOW * LOW);
}

function marked(logits: Float32Array): number {
  let count = 0;
  for (const logit of logits) if (logit > 0) count += 1;
  return count;
}
