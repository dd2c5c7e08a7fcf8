import { describe, expect, test } from "vitest";
import { isSame, mirrored, moved, restored, sameFigure, taken, withJoint, withoutJoint } from "./edit";
import { at, figureOf, LANDMARKS, PAIRS, TRUNK, type Figure, type Row } from "./figure";

const [NOSE, LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, LEFT_WRIST] = [0, 11, 12, 13, 15];

/** Left joints at x 60 and up, right ones at 40 and down; the trunk's axis is at 50. */
function standing(): Figure {
  const rows = Array.from({ length: LANDMARKS }, (_, index): Row => {
    const side = PAIRS.some(([left]) => left === index) ? 1 : PAIRS.some(([, right]) => right === index) ? -1 : 0;
    return [50 + side * (10 + (TRUNK.includes(index) ? 0 : index % 7)), index, side, 0.9, "seen"];
  });
  return figureOf(rows);
}

const changed = (before: Figure, after: Figure) => after.flatMap((joint, index) => (isSame(joint, at(before, index)) ? [] : [index]));

describe("a joint that is moved", () => {
  test("takes along only what the drawing does not show", () => {
    const before = standing();
    const after = moved(before, LEFT_WRIST, { x: 3, y: -4 }, false);
    expect(changed(before, after)).toEqual([15, 17, 19, 21]);
    expect(at(after, LEFT_WRIST)).toMatchObject({ x: at(before, LEFT_WRIST).x + 3, y: 11, z: 1, sure: 1, state: "placed" });
    expect(at(after, 17)).toMatchObject({ y: 13, sure: 0.9, state: "placed" });
    expect(changed(before, moved(before, LEFT_ELBOW, { x: 3, y: 0 }, false))).toEqual([LEFT_ELBOW]);
  });

  test("takes its whole limb along when asked", () => {
    const before = standing();
    expect(changed(before, moved(before, LEFT_SHOULDER, { x: 3, y: 0 }, true))).toEqual([11, 13, 15, 17, 19, 21]);
  });

  test("goes back where it was seen, with its tips and nothing else", () => {
    const before = standing();
    const after = moved(moved(before, LEFT_WRIST, { x: 9, y: 9 }, false), NOSE, { x: 1, y: 0 }, false);
    expect(changed(before, restored(after, LEFT_WRIST, before))).toEqual([0, 9, 10]);
    expect(at(restored(after, LEFT_WRIST, before), LEFT_WRIST).state).toBe("seen");
  });
});

describe("the mirror", () => {
  test("keeps the axis of the body, and the left hand becomes the right one on the other side", () => {
    const before = moved(standing(), LEFT_WRIST, { x: 30, y: -8 }, false);
    const after = mirrored(before);
    const middle = (figure: Figure) => TRUNK.reduce((sum, index) => sum + at(figure, index).x, 0) / 4;
    expect(middle(after)).toBeCloseTo(middle(before));
    expect(at(after, 16)).toMatchObject({ x: 100 - at(before, LEFT_WRIST).x, y: 7 });
    expect(at(after, LEFT_WRIST).y).toBe(16);
    expect(at(after, NOSE).x).toBe(50);
  });

  test("leaves left on the left: a body that faces us still does", () => {
    const after = mirrored(standing());
    expect(at(after, LEFT_SHOULDER).x).toBeGreaterThan(at(after, RIGHT_SHOULDER).x);
  });

  test("twice is where one began", () => {
    const before = moved(standing(), LEFT_SHOULDER, { x: 13, y: 5 }, true);
    expect(sameFigure(mirrored(mirrored(before)), before)).toBe(true);
    expect(sameFigure(mirrored(before), before)).toBe(false);
  });
});

test("a joint is left out and put back as sure as it was", () => {
  const before = standing();
  const without = withoutJoint(before, LEFT_WRIST);
  expect(at(without, LEFT_WRIST).sure).toBe(0);
  expect(at(withJoint(without, LEFT_WRIST, before), LEFT_WRIST).sure).toBe(0.9);
  const away = withoutJoint(before, NOSE); // turned away from the start
  expect(at(withJoint(away, NOSE, away), NOSE).sure).toBe(1);
});

test("of a pose that is put on the figure, what did not move stays seen", () => {
  const before = standing();
  const fresh = before.map((joint, index) => (index === LEFT_WRIST ? { ...joint, x: joint.x + 1, state: "invented" as const } : joint));
  const states = taken(before, fresh).map((joint) => joint.state);
  expect(states[LEFT_WRIST]).toBe("placed");
  expect(states.filter((state) => state === "seen")).toHaveLength(LANDMARKS - 1);
});
