import { describe, expect, test } from "vitest";
import { at, figureOf, halfWidth, hangingOn, isDrawn, LANDMARKS, limbsOf, MAIN, rowsOf, tipsOf, to18, type Row } from "./figure";

const LEFT_ELBOW = 13;
const LEFT_WRIST = 15;

/** Each landmark at a place of its own. */
function rows(change: (index: number) => Partial<{ sure: number; state: Row[4] }> = () => ({})): Row[] {
  return Array.from({ length: LANDMARKS }, (_, index) => {
    const { sure = 1, state = "seen" } = change(index);
    return [10 * index, 100 + index, -index, sure, state];
  });
}

describe("the figure", () => {
  test("goes to the server as it came, to a hundredth of a pixel and without states", () => {
    const sent = rowsOf(figureOf([[1.23456, 2, -3.999, 0.5, "weak"]]));
    expect(sent).toEqual([[1.23, 2, -4, 0.5]]);
  });

  test("has seventeen handles: OpenPose's joints without the neck, which is nobody's", () => {
    expect(MAIN).toHaveLength(17);
    expect(MAIN).toContain(LEFT_WRIST);
    expect(MAIN).not.toContain(17);
  });

  test("hangs hand on wrist on elbow, and toes and heel on the ankle", () => {
    expect(hangingOn(LEFT_ELBOW)).toEqual([15, 17, 19, 21]);
    expect(tipsOf(LEFT_WRIST)).toEqual([17, 19, 21]);
    expect(tipsOf(LEFT_ELBOW)).toEqual([]);
    expect(tipsOf(27)).toEqual([29, 31]);
    expect(tipsOf(0)).toEqual([9, 10]);
  });
});

describe("the drawing", () => {
  test("has the neck between the shoulders, as sure as the less sure one", () => {
    const neck = at(to18(figureOf(rows((index) => (index === 12 ? { sure: 0.4, state: "invented" } : {})))), 1);
    expect([neck.x, neck.y, neck.sure, neck.state]).toEqual([115, 111.5, 0.4, "invented"]);
  });

  test("paints seventeen limbs, and none at a joint that is left out", () => {
    expect(limbsOf(figureOf(rows()))).toHaveLength(17);
    const without = figureOf(rows((index) => (index === LEFT_ELBOW ? { sure: 0.049 } : {})));
    expect(isDrawn(at(without, LEFT_ELBOW))).toBe(false);
    expect(limbsOf(without)).toHaveLength(15);
  });

  test("lays a limb between its ends, dashed where one is guessed", () => {
    const limbs = limbsOf(figureOf(rows((index) => (index === LEFT_WRIST ? { sure: 0.3, state: "invented" } : {}))));
    const forearm = at(limbs, 5); // joints 6 and 7: left elbow (130, 113) and left wrist (150, 115)
    expect(forearm).toMatchObject({ colour: "rgb(85 255 0)", x: 140, y: 114, guessed: true });
    expect(forearm.halfLength).toBeCloseTo(Math.hypot(20, 2) / 2);
    expect(forearm.degrees).toBeCloseTo(5.711, 3);
    expect(at(limbs, 4).guessed).toBe(false);
  });

  test("is as thick as the studio's: four pixels to each side at 512 x 768", () => {
    expect(halfWidth(512, 768)).toBe(4);
    expect(halfWidth(1200, 1800)).toBeCloseTo(9.375);
    expect(halfWidth(64, 96)).toBe(1);
  });
});
