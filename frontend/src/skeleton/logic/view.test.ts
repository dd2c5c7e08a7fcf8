import { describe, expect, test } from "vitest";
import { figureOf, type Row } from "./figure";
import { boxOf, fitted, nearest, panned, pinched, toPhoto, toScreen, zoomed } from "./view";

const photo = { width: 400, height: 600 };
const stage = { width: 300, height: 300 };
const whole = fitted({ left: 0, top: 0, right: 400, bottom: 600 }, stage);

describe("what is shown", () => {
  test("is all of the box, in the middle, with a margin", () => {
    expect(whole.scale).toBeCloseTo((300 * 0.92) / 600);
    const [top, bottom] = [toScreen(whole, { x: 0, y: 0 }), toScreen(whole, { x: 400, y: 600 })];
    expect(top.y).toBeCloseTo(12);
    expect(bottom.y).toBeCloseTo(288);
    expect(top.x).toBeCloseTo(300 - bottom.x);
  });

  test("holds joints outside of the photo, and none that is left out", () => {
    const rows: Row[] = [[-50, 700, 0, 1], [900, 10, 0, 0.01]];
    expect(boxOf(photo, figureOf(rows))).toEqual({ left: -50, top: 0, right: 400, bottom: 700 });
  });
});

describe("zooming", () => {
  test("keeps what lies under the pointer there", () => {
    const pointer = { x: 70, y: 210 };
    const closer = zoomed(whole, 3, pointer, whole);
    expect(closer.scale).toBeCloseTo(3 * whole.scale);
    expect(toPhoto(closer, pointer).x).toBeCloseTo(toPhoto(whole, pointer).x);
    expect(toPhoto(closer, pointer).y).toBeCloseTo(toPhoto(whole, pointer).y);
  });

  test("has an end on both sides", () => {
    expect(zoomed(whole, 1000, { x: 0, y: 0 }, whole).scale).toBeCloseTo(12 * whole.scale);
    expect(zoomed(whole, 0.001, { x: 0, y: 0 }, whole).scale).toBeCloseTo(0.5 * whole.scale);
  });

  test("follows a drag by as many pixels of the screen", () => {
    const before = toScreen(whole, { x: 100, y: 100 });
    const after = toScreen(panned(whole, { x: 12, y: -7 }), { x: 100, y: 100 });
    expect([after.x - before.x, after.y - before.y].map(Math.round)).toEqual([12, -7]);
  });

  test("of two fingers: what lay between them lies between them", () => {
    const before = [{ x: 100, y: 100 }, { x: 140, y: 100 }] as const;
    const after = [{ x: 90, y: 160 }, { x: 170, y: 160 }] as const;
    const view = pinched(whole, before, after, whole);
    expect(view.scale).toBeCloseTo(2 * whole.scale);
    const middle = toPhoto(whole, { x: 120, y: 100 });
    expect(toScreen(view, middle)).toEqual({ x: expect.closeTo(130), y: expect.closeTo(160) });
    expect(pinched(whole, [before[0], before[0]], after, whole).scale).toBeCloseTo(whole.scale);
  });
});

test("the nearest joint within reach is meant, among those that can be taken", () => {
  const figure = figureOf([[100, 100, 0, 1], [110, 100, 0, 1], [300, 300, 0, 1]]);
  const view = { x: 0, y: 0, scale: 1 };
  expect(nearest(view, figure, [0, 1, 2], { x: 106, y: 101 }, 16)).toBe(1);
  expect(nearest(view, figure, [0, 2], { x: 106, y: 101 }, 16)).toBe(0);
  expect(nearest(view, figure, [0, 1, 2], { x: 200, y: 200 }, 16)).toBeNull();
});
