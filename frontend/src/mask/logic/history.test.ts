import { expect, test } from "vitest";
import { begin, push, redo, undo } from "./history";

const three = push(push(push(begin("a"), "b"), "c"), "d");

test("steps go back and forth", () => {
  const back = undo(undo(three));
  expect(back.present).toBe("b");
  expect(redo(back).present).toBe("c");
  expect(undo(undo(undo(undo(three)))).present).toBe("a");
  expect(redo(three)).toBe(three);
});

test("what is done after an undo replaces what was undone", () => {
  const other = push(undo(three), "e");
  expect(redo(other)).toBe(other);
  expect(undo(other).present).toBe("c");
});

test("a slider's many values are one step, and the next slider another", () => {
  const slid = ["1", "2", "3"].reduce((history, value) => push(history, value, "grow"), three);
  const both = push(slid, "soft", "feather");
  expect(undo(both).present).toBe("3");
  expect(undo(undo(both)).present).toBe("d");
});

test("a slider moved again after an undo is a new step", () => {
  const slid = push(three, "1", "grow");
  const again = push(undo(slid), "2", "grow");
  expect(undo(again).present).toBe("d");
});

test("the hundred newest steps are kept", () => {
  let history = begin(0);
  for (let step = 1; step <= 150; step += 1) history = push(history, step);
  for (let step = 0; step < 200; step += 1) history = undo(history);
  expect(history.present).toBe(50);
});
