import { expect, test } from "vitest";
import { compose, fullRows, type Masks, share, toMask } from "./compose";
import { contours, thinned, toPath } from "./contours";
import { toLogits, upscale } from "./field";
import { LOW, workingSize } from "./geometry";
import { type Edits, newPart, NOTHING, PLAIN, type Part, withStroke } from "./model";

const PHOTO = { width: 200, height: 100 }; // its own working grid; 5.12 of the square's pixels each, 1.28 logits
const SIZES = { photo: PHOTO, working: workingSize(PHOTO) };
const NO_FINISH = { ...PLAIN, fillHoles: false, dropSpecks: false };

/** Logits that are above 0 in a rectangle of the photo. */
function block(x0: number, y0: number, x1: number, y1: number): Float32Array {
  const logits = new Float32Array(LOW * LOW);
  for (let at = 0; at < logits.length; at += 1) {
    const x = ((at % LOW) + 0.5) / 1.28;
    const y = (Math.floor(at / LOW) + 0.5) / 1.28;
    logits[at] = x > x0 && x < x1 && y > y0 && y < y1 ? 4 : -4;
  }
  return logits;
}

function part(id: string, x0: number, y0: number, x1: number, y1: number, rest: Partial<Part> = {}): Part {
  return newPart(id, { plane: { id, logits: block(x0, y0, x1, y1) }, ...rest });
}

function edits(...parts: Part[]): Edits {
  return { parts, selected: null, finish: NO_FINISH };
}

function mask(value: Edits, masks: Masks = new Map()): (x: number, y: number) => number {
  const levels = toMask(compose(value, masks, SIZES));
  return (x, y) => levels[y * PHOTO.width + x]!;
}

test("logits lie where the photo lies in the square, whatever its shape", () => {
  const at = mask(edits(part("a", 100, 20, 180, 60)));
  expect([at(95, 40), at(105, 40), at(175, 40), at(185, 40), at(140, 15), at(140, 25), at(140, 55), at(140, 65)]).toEqual([0, 255, 255, 0, 0, 255, 255, 0]);
  const tall = { width: 100, height: 200 };
  const field = upscale(block(20, 100, 60, 180), tall, tall);
  expect([field[105 * 100 + 40]! > 0, field[95 * 100 + 40]! > 0, field[140 * 100 + 65]! > 0]).toEqual([true, false, false]);
});

test("upscaling is bilinear with samples at pixel centres, as SAM's own", () => {
  const ramp = Float32Array.from({ length: LOW * LOW }, (_, at) => at % LOW);
  const photo = { width: 1024, height: 1024 };
  const field = upscale(ramp, photo, photo);
  // torch.nn.functional.interpolate(mode="bilinear", align_corners=False): (x + 0.5) / 4 - 0.5, held at the ends
  expect([0, 1, 2, 511, 1023].map((x) => field[x])).toEqual([0, 0, 0.125, 127.375, 255]);
});

test("parts add and take away in their order, and hidden ones do nothing", () => {
  const coat = part("a", 20, 10, 120, 90);
  const bag = part("b", 80, 30, 150, 60, { adds: false });
  const glove = part("c", 100, 40, 110, 50);
  const at = mask(edits(coat, bag, glove));
  expect([at(50, 50), at(90, 45), at(105, 45), at(140, 45)]).toEqual([255, 0, 255, 0]);
  expect(mask(edits(coat, { ...bag, shown: false }))(90, 45)).toBe(255);
});

test("brush and eraser are discs along their way, over whatever was there", () => {
  const painted = withStroke(edits(part("a", 20, 10, 120, 90)), { add: true, radius: 8, path: [150, 50, 180, 50] });
  const erased = withStroke(painted, { add: false, radius: 5, path: [60, 20, 60, 80] });
  const at = mask(erased);
  expect([at(165, 50), at(165, 57), at(165, 59), at(150, 43), at(144, 43)]).toEqual([255, 255, 0, 255, 0]);
  expect([at(60, 50), at(56, 50), at(66, 50), at(60, 83), at(60, 87)]).toEqual([0, 0, 255, 0, 255]);
  expect(erased.parts).toHaveLength(2);
});

test("a part begun from a finished mask keeps its edge to the pixel", () => {
  const given = new Uint8Array(PHOTO.width * PHOTO.height);
  for (let y = 31; y < 77; y += 1) given.fill(255, y * 200 + 13, y * 200 + 59);
  const levels = toMask(compose(edits(newPart("a", { proposal: "upper" })), new Map([["upper", given]]), SIZES));
  expect(levels).toEqual(given);
});

test("a mask made into logits for refining comes back as nearly the same mask", () => {
  const field = compose(edits(part("a", 40, 20, 120, 80)), new Map(), SIZES).field;
  const again = upscale(toLogits(field, PHOTO, PHOTO), PHOTO, PHOTO);
  const differ = again.filter((value, at) => value > 0 !== field[at]! > 0).length;
  expect(differ).toBeLessThan(80); // of an edge of 280 pixels
});

test("nothing marked is an empty mask", () => {
  expect(share(toMask(compose(NOTHING, new Map(), SIZES)))).toBe(0);
});

test("the full-size mask is the same shape at the photo's own size, with a smooth edge rather than steps", () => {
  const photo = { width: 3000, height: 1500 };
  const sizes = { photo, working: workingSize(photo) };
  const disc = withStroke(NOTHING, { add: true, radius: 500, path: [1500, 750] });
  let wrong = 0;
  let y = 0;
  for (const row of fullRows(compose(disc, new Map(), sizes), sizes)) {
    expect(row.length).toBe(3000);
    row.forEach((level, x) => {
      const inside = Math.hypot(x + 0.5 - 1500, y + 0.5 - 750) < 500;
      if (inside !== level >= 128) wrong += 1;
    });
    y += 1;
  }
  expect(y).toBe(1500);
  expect(wrong).toBeLessThan(900); // of 3142 pixels of edge; steps of the working grid would give several thousand
});

test("growing and feathering are in pixels of the photo", () => {
  const photo = { width: 2048, height: 1024 };
  const sizes = { photo, working: workingSize(photo) };
  const dot = withStroke(NOTHING, { add: true, radius: 200, path: [1000, 500] });
  const wide = { ...dot, finish: { ...NO_FINISH, grow: 40, feather: 20 } };
  const row = [...fullRows(compose(wide, new Map(), sizes), sizes)].length;
  const middle: number[] = [];
  let y = 0;
  for (const line of fullRows(compose(wide, new Map(), sizes), sizes)) if (y++ === 500) middle.push(...line);
  expect(row).toBe(1024);
  expect(middle[1239]! - 128).toBeLessThan(14);
  expect(middle[1239]! - 128).toBeGreaterThan(-14);
  expect([middle[1215], middle[1265]]).toEqual([255, 0]);
  expect(middle[1249]).toBeGreaterThan(40);
  expect(middle[1249]).toBeLessThan(90);
});

test("the outline runs through where the field is 0 and closes along the frame", () => {
  const size = { width: 4, height: 3 };
  const field = Float32Array.of(1, 3, -1, -1, 1, 3, -1, -1, 1, 3, -1, -1);
  const [line, ...more] = contours(field, size);
  expect(more).toEqual([]);
  const xs = line!.filter((_, at) => at % 2 === 0);
  expect(Math.max(...xs)).toBeCloseTo(2.25); // between the centres 1.5 (3) and 2.5 (-1)
  expect(Math.min(...xs)).toBe(0);
});

test("a hole and an island each have a line of their own", () => {
  const size = { width: 40, height: 40 };
  const field = Float32Array.from({ length: 1600 }, (_, at) => {
    const far = Math.hypot((at % 40) - 20, Math.floor(at / 40) - 20);
    return far < 4 || (far > 8 && far < 14) ? 1 : -1;
  });
  expect(contours(field, size)).toHaveLength(3);
});

test("two corners that touch are two lines, and no line is lost", () => {
  expect(contours(Float32Array.of(1, -1, -1, 1), { width: 2, height: 2 })).toHaveLength(2);
  expect(contours(Float32Array.of(-1, 1, 1, -1), { width: 2, height: 2 })).toHaveLength(2);
});

test("points on a straight line are left out, corners are not", () => {
  expect(thinned([0, 0, 1, 0, 2, 0, 3, 0, 3, 1, 3, 2], 0.25)).toEqual([0, 0, 3, 0, 3, 2]);
  expect(toPath([[0, 0, 1, 0, 2, 0, 2, 2]])).toBe("M0.0 0.0L2.0 0.0L2.0 2.0Z");
});
