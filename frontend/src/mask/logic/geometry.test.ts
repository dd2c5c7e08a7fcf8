import { expect, test } from "vitest";
import { boxBetween, fit, held, toPhoto, toStage, workingSize, zoomAt } from "./geometry";

const PHOTO = { width: 3000, height: 4000 };
const STAGE = { width: 500, height: 700 };

test("the working grid has the photo's shape and never more than 1024 a side", () => {
  expect(workingSize(PHOTO)).toEqual({ width: 768, height: 1024 });
  expect(workingSize({ width: 320, height: 200 })).toEqual({ width: 320, height: 200 });
});

test("a point goes to the stage and back", () => {
  const view = { scale: 0.125, x: 40, y: -20 };
  expect(toStage(view, { x: 800, y: 1600 })).toEqual({ x: 140, y: 180 });
  expect(toPhoto(view, { x: 140, y: 180 })).toEqual({ x: 800, y: 1600 });
});

test("a photo that fits stands in the middle with the air asked for", () => {
  const view = fit(PHOTO, STAGE, 16);
  expect(view.scale).toBeCloseTo(468 / 3000);
  expect(view.x).toBeCloseTo(16);
  expect(view.y).toBeCloseTo((700 - 4000 * (468 / 3000)) / 2);
});

test("zooming keeps what is under the pointer under it", () => {
  const view = fit(PHOTO, STAGE);
  const at = { x: 210, y: 333 };
  const before = toPhoto(view, at);
  const after = toPhoto(zoomAt(view, at, 3, PHOTO, STAGE), at);
  expect(after.x).toBeCloseTo(before.x);
  expect(after.y).toBeCloseTo(before.y);
});

test("however far one pans, a quarter of the stage still shows the photo", () => {
  const far = held({ scale: 1, x: 9000, y: -9000 }, PHOTO, STAGE);
  expect(far).toEqual({ scale: 1, x: 375, y: 175 - 4000 });
});

test("a box drawn from any corner, even from beside the photo, is one within it", () => {
  expect(boxBetween({ x: 900, y: -5 }, { x: 100, y: 4100 }, PHOTO)).toEqual({ x0: 100, y0: 0, x1: 900, y1: 4000 });
});
