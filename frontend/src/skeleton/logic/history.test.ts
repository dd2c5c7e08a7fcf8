import { expect, test } from "vitest";
import { begun, redone, sealed, stepped, undone } from "./history";

test("steps are undone and done again in their order", () => {
  const after = stepped(stepped(begun("a"), "b"), "c");
  expect(undone(after).now).toBe("b");
  expect(undone(undone(after)).now).toBe("a");
  expect(undone(undone(undone(after))).now).toBe("a");
  expect(redone(undone(after))).toMatchObject({ now: "c", future: [] });
  expect(redone(after)).toBe(after);
});

test("a drag is one step however far it goes, and the next drag another", () => {
  let history = begun(0);
  for (const now of [1, 2, 3]) history = stepped(history, now, "drag-1");
  expect(history.past).toEqual([0]);
  history = stepped(sealed(history), 4, "drag-1");
  expect(history.past).toEqual([0, 3]);
});

test("who goes another way after an undo can not redo", () => {
  const other = stepped(undone(stepped(begun("a"), "b")), "c");
  expect(redone(other).now).toBe("c");
  expect(undone(other).now).toBe("a");
});

test("an undo ends a drag: what follows does not swallow it", () => {
  const history = stepped(undone(stepped(begun(0), 1, "nudge")), 2, "nudge");
  expect(history.past).toEqual([0]);
});

test("the past has an end", () => {
  let history = begun(0);
  for (let now = 1; now <= 300; now++) history = stepped(history, now);
  expect(history.past).toHaveLength(200);
  expect(history.past[0]).toBe(100);
});
