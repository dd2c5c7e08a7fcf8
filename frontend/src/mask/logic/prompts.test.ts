import { expect, test } from "vitest";
import { LOW } from "./geometry";
import { chooseAnswer, isAmbiguous, promptArrays } from "./prompts";

const PHOTO = { width: 2048, height: 1024 };
const click = { x: 512, y: 256, add: true };

test("clicks are scaled to SAM's square and followed by the padding point", () => {
  const arrays = promptArrays({ clicks: [click, { x: 100, y: 50, add: false }], box: null, mask: null }, PHOTO);
  expect([...arrays.coords]).toEqual([256, 128, 50, 25, 0, 0]);
  expect([...arrays.labels]).toEqual([1, 0, -1]);
  expect([...arrays.hasMaskInput]).toEqual([0]);
});

test("a box takes the padding point's place, its corners labelled 2 and 3", () => {
  const arrays = promptArrays({ clicks: [click], box: { x0: 0, y0: 2, x1: 2048, y1: 1000 }, mask: null }, PHOTO);
  expect([...arrays.coords]).toEqual([256, 128, 0, 1, 1024, 500]);
  expect([...arrays.labels]).toEqual([1, 2, 3]);
});

test("the last answer is fed back and said to be there", () => {
  const mask = new Float32Array(LOW * LOW).fill(3);
  const arrays = promptArrays({ clicks: [click], box: null, mask }, PHOTO);
  expect(arrays.maskInput).toBe(mask);
  expect([...arrays.hasMaskInput]).toEqual([1]);
});

test("only a first click alone is ambiguous", () => {
  expect(isAmbiguous({ clicks: [click], box: null, mask: null })).toBe(true);
  expect(isAmbiguous({ clicks: [click, click], box: null, mask: null })).toBe(false);
  expect(isAmbiguous({ clicks: [click], box: null, mask: new Float32Array(1) })).toBe(false);
});

/** Four planes whose first ``counts[i]`` logits are 1, the rest -1. */
function planes(counts: number[]): Float32Array {
  const all = new Float32Array(4 * LOW * LOW).fill(-1);
  counts.forEach((count, at) => all.fill(1, at * LOW * LOW, at * LOW * LOW + count));
  return all;
}

const inside = (logits: Float32Array): number => logits.filter((logit) => logit > 0).length;

test("an ambiguous answer offers three by size and shows the likeliest of them, never the single one", () => {
  const answer = chooseAnswer({ planes: planes([5, 300, 20, 100]), iou: [0.99, 0.4, 0.6, 0.9] }, true, "a");
  expect(answer.candidates?.planes.map((plane) => inside(plane.logits))).toEqual([20, 100, 300]);
  expect(answer.candidates?.chosen).toBe(1);
  expect(inside(answer.plane.logits)).toBe(100);
});

test("an answer to anything else is the single mask", () => {
  const answer = chooseAnswer({ planes: planes([5, 300, 20, 100]), iou: [0.1, 0.9, 0.9, 0.9] }, false, "a");
  expect(inside(answer.plane.logits)).toBe(5);
  expect(answer.candidates).toBeNull();
});
