import { expect, test } from "vitest";
import { signedDistances, squaredDistances } from "./distance";
import { dropSpecks, fillHoles, grow, ramp } from "./morphology";

/** Rows of # and . as a field. */
function drawn(...rows: string[]): { field: Float32Array; size: { width: number; height: number } } {
  const field = Float32Array.from(rows.join(""), (mark) => (mark === "#" ? 1 : -1));
  return { field, size: { width: rows[0]!.length, height: rows.length } };
}

function rows(field: Float32Array, width: number): string[] {
  const marks = Array.from(field, (value) => (value > 0 ? "#" : ".")).join("");
  return marks.match(new RegExp(`.{${width}}`, "g")) ?? [];
}

test("distances are exact and Euclidean", () => {
  const size = { width: 23, height: 17 };
  const seeds = [[3, 2], [20, 9], [8, 15]] as const;
  const found = squaredDistances((at) => seeds.some(([x, y]) => at === y * size.width + x), size);
  for (let y = 0; y < size.height; y += 1) {
    for (let x = 0; x < size.width; x += 1) {
      const nearest = Math.min(...seeds.map(([sx, sy]) => (x - sx) ** 2 + (y - sy) ** 2));
      expect(found[y * size.width + x]).toBe(nearest);
    }
  }
});

test("signed distances are half a pixel on both sides of the edge, and the frame is no edge", () => {
  const { field, size } = drawn("##..", "##..");
  expect([...signedDistances(field, size)]).toEqual([1.5, 0.5, -0.5, -1.5, 1.5, 0.5, -0.5, -1.5]);
});

test("everything or nothing has no edge and stays", () => {
  const { field, size } = drawn("##", "##");
  expect(rows(grow(field, size, -50), 2)).toEqual(["##", "##"]);
  expect(rows(grow(field.map((value) => -value), size, 50), 2)).toEqual(["..", ".."]);
});

test("two pixels wider is a disc of radius two, as on the server", () => {
  const dot = drawn(".......", ".......", ".......", "...#...", ".......", ".......", ".......");
  // studio.segmentation.masks.expand(dot, 2)
  expect(rows(grow(dot.field, dot.size, 2), 7)).toEqual([".......", "...#...", "..###..", ".#####.", "..###..", "...#...", "......."]);
});

test("one pixel narrower takes the edge away, but not along the frame", () => {
  const { field, size } = drawn("###..", "###..", "###..", ".....");
  expect(rows(grow(field, size, -1), 5)).toEqual(["##...", "##...", ".....", "....."]);
});

test("a feathered edge is half at the edge and climbs linearly", () => {
  expect([-2, -1, 0, 0.5, 1, 3].map((signed) => ramp(signed, 2))).toEqual([0, 0.25, 0.5, 0.625, 0.75, 1]);
});

function canvas(side: number, inside: (x: number, y: number) => boolean): { field: Float32Array; size: { width: number; height: number } } {
  const field = new Float32Array(side * side);
  for (let at = 0; at < field.length; at += 1) field[at] = inside(at % side, Math.floor(at / side)) ? 1 : -1;
  return { field, size: { width: side, height: side } };
}

test("a small hole is filled, a large one and what the frame cuts off are not", () => {
  const hole = (x: number, y: number): boolean => x >= 50 && x < 53 && y >= 50 && y < 53;
  const arm = (x: number, y: number): boolean => x >= 20 && x < 30 && y >= 20 && y < 30;
  const cut = (x: number, y: number): boolean => x < 2 && y < 2;
  const { field, size } = canvas(100, (x, y) => !hole(x, y) && !arm(x, y) && !cut(x, y));
  fillHoles(field, size);
  expect(field[51 * 100 + 51]! > 0).toBe(true);
  expect(field[25 * 100 + 25]! > 0).toBe(false);
  expect(field[0]! > 0).toBe(false);
});

test("specks go, a second garment stays", () => {
  const coat = (x: number, y: number): boolean => x > 40 && x < 80 && y > 40;
  const glove = (x: number, y: number): boolean => x >= 10 && x < 16 && y >= 10 && y < 16;
  const speck = (x: number, y: number): boolean => x === 90 && y === 5;
  const { field, size } = canvas(100, (x, y) => coat(x, y) || glove(x, y) || speck(x, y));
  dropSpecks(field, size);
  expect(field[5 * 100 + 90]! > 0).toBe(false);
  expect(field[12 * 100 + 12]! > 0).toBe(true);
  expect(field[60 * 100 + 60]! > 0).toBe(true);
});

test("a mask that is but a speck keeps it", () => {
  const { field, size } = canvas(100, (x, y) => x === 7 && y === 7);
  dropSpecks(field, size);
  expect(field[707]! > 0).toBe(true);
});
