import { expect, test } from "vitest";
import { clickedPart, freshId, newPart, NOTHING, withoutPart, withPart, withStroke } from "./model";

const stroke = { add: true, radius: 5, path: [1, 1] };
const two = withPart(withPart(NOTHING, newPart("p1")), newPart("p2"));

test("what was put in last is selected, and what is deleted hands over", () => {
  expect(two.selected).toBe("p2");
  expect(withoutPart(two, "p2").selected).toBe("p1");
  expect(withoutPart(two, "p1").selected).toBe("p2");
  expect(withoutPart(withoutPart(two, "p1"), "p2").selected).toBeNull();
});

test("a new part never gets the name of one that is there", () => {
  expect(freshId(withoutPart(two, "p1"))).toBe("p3");
  expect(freshId(NOTHING)).toBe("p1");
});

test("strokes gather in one part until something else is begun", () => {
  const painted = withStroke(withStroke(two, stroke), stroke);
  expect(painted.parts.map((part) => part.strokes.length)).toEqual([0, 0, 2]);
  const later = withStroke(withPart(painted, newPart("p4")), stroke);
  expect(later.parts.map((part) => part.strokes.length)).toEqual([0, 0, 2, 0, 1]);
});

test("a stroke is not added to a part that is hidden", () => {
  const painted = withStroke(NOTHING, stroke);
  const hidden = withPart(painted, { ...painted.parts[0]!, shown: false });
  expect(withStroke(hidden, stroke).parts).toHaveLength(2);
});

test("a click refines what is selected, but not what was painted", () => {
  expect(clickedPart(two)?.id).toBe("p2");
  expect(clickedPart(withStroke(two, stroke))).toBeNull();
  expect(clickedPart({ ...two, selected: null })).toBeNull();
});

test("what was there before is as it was", () => {
  const before = JSON.stringify(two);
  withStroke(two, stroke);
  withoutPart(two, "p1");
  withPart(two, { ...two.parts[0]!, adds: false });
  expect(JSON.stringify(two)).toBe(before);
});
