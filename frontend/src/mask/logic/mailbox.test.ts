import { expect, test } from "vitest";
import { Mailbox } from "./mailbox";

function mailbox(): { box: Mailbox<string, string>; sent: [number, string][] } {
  const sent: [number, string][] = [];
  return { box: new Mailbox((number, question) => sent.push([number, question])), sent };
}

test("of many guesses only the newest is asked, and the one that was under way is answered with nothing", async () => {
  const { box, sent } = mailbox();
  const guesses = ["a", "b", "c"].map((question) => box.maybe(question));
  box.answered(1, "A");
  expect(sent).toEqual([[1, "a"], [3, "c"]]);
  box.answered(3, "C");
  expect(await Promise.all(guesses)).toEqual([null, null, "C"]);
});

test("of many compositions the one under way is shown, and of those that wait only the newest is worked out", async () => {
  const { box, sent } = mailbox();
  const compositions = ["a", "b", "c"].map((question) => box.latest(question));
  box.answered(1, "A");
  box.answered(3, "C");
  expect(sent).toEqual([[1, "a"], [3, "c"]]);
  expect(await Promise.all(compositions)).toEqual(["A", null, "C"]);
});

test("clicks are all answered, in order, and go before a guess", async () => {
  const { box, sent } = mailbox();
  const first = box.click("one");
  const second = box.click("two");
  const guess = box.maybe("here");
  for (const number of [1, 2, 3]) box.answered(number, `answer ${number}`);
  expect(sent.map(([, question]) => question)).toEqual(["one", "two", "here"]);
  expect(await Promise.all([first, second, guess])).toEqual(["answer 1", "answer 2", "answer 3"]);
});

test("a click makes the guess before it stale", async () => {
  const { box } = mailbox();
  const guess = box.maybe("here");
  const click = box.click("there");
  box.answered(1, "stale");
  box.answered(2, "clicked");
  expect(await guess).toBeNull();
  expect(await click).toBe("clicked");
});

test("when the pointer leaves, the answer under way is for nobody", async () => {
  const { box } = mailbox();
  const guess = box.maybe("here");
  box.dropGuess();
  box.answered(1, "late");
  expect(await guess).toBeNull();
});

test("an answer that nobody asked for changes nothing", async () => {
  const { box, sent } = mailbox();
  const click = box.click("one");
  box.answered(99, "?");
  box.answered(1, "!");
  expect(await click).toBe("!");
  expect(sent).toHaveLength(1);
});

test("a failed question fails alone", async () => {
  const { box } = mailbox();
  const first = box.click("one");
  const second = box.click("two");
  box.failed(1, new Error("out of memory"));
  box.answered(2, "fine");
  await expect(first).rejects.toThrow("out of memory");
  expect(await second).toBe("fine");
});

test("when the worker goes, all who wait hear it", async () => {
  const { box } = mailbox();
  const waiting = [box.click("one"), box.click("two")];
  box.close(new Error("gone"));
  for (const one of waiting) await expect(one).rejects.toThrow("gone");
});
