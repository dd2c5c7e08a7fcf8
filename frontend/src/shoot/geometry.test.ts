// Where the sketch puts things.
import { expect, test } from "vitest";
import { brightnessToAlpha, contained, covering, cropBox } from "./geometry";

const FRAME = { x: 0, y: 0, width: 400, height: 600 };

test("a crop keeps the frame's shape, hangs from its top and is centred", () => {
  for (const crop of ["head-to-toe", "knee-up", "waist-up"]) {
    const { x, y, width, height } = cropBox(crop);
    expect(width).toBe(height);
    expect([y, x]).toEqual([0, (1 - width) / 2]);
  }
  expect(cropBox("waist-up").height).toBeLessThan(cropBox("knee-up").height);
});

test("as photographed, and whatever comes new, keeps everything", () => {
  expect(cropBox("as-photographed")).toEqual({ x: 0, y: 0, width: 1, height: 1 });
});

test("a landscape photo is whole inside, a landscape scene covers all", () => {
  expect(contained(800, 400, FRAME)).toEqual({ x: 0, y: 200, width: 400, height: 200 });
  expect(covering(800, 400, FRAME)).toEqual({ x: -400, y: 0, width: 1200, height: 600 });
});

test("a mask's white is opaque and its black is nothing", () => {
  const pixels = new Uint8ClampedArray([255, 255, 255, 255, 0, 0, 0, 255, 128, 128, 128, 255]);
  brightnessToAlpha(pixels);
  expect([pixels[3], pixels[7], pixels[11]]).toEqual([255, 0, 128]);
});
