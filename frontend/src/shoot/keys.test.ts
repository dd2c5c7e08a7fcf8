// The page's keys beside an island's own, which listens later and leaves alone what was taken.
import { beforeAll, beforeEach, expect, test, vi } from "vitest";

const left = vi.fn<(key: string) => void>(); // what an island would answer
const pressed = vi.fn<(id: string) => void>();

beforeAll(async () => {
  document.body.innerHTML = `<dialog id="keys"></dialog><main></main>`;
  await import("../../plain/js/keys.js");
  document.addEventListener("keydown", (event) => !event.defaultPrevented && left(event.key));
  document.addEventListener("click", (event) => pressed((event.target as HTMLElement).id));
});
beforeEach(() => {
  left.mockReset();
  pressed.mockReset();
  document.querySelector<HTMLDialogElement>("dialog")!.close();
});

function page(html: string): void {
  document.querySelector("main")!.innerHTML = html;
}

function press(key: string, at: Element = document.body): void {
  at.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

test("the second key of a pair is not an island's too", () => {
  page(`<a id="shoot" data-go-key="s"></a>`);
  press("g");
  press("s");
  expect(pressed).toHaveBeenCalledWith("shoot");
  expect(left).not.toHaveBeenCalled();
  press("s");
  expect(left).toHaveBeenCalledWith("s");
});

test("an island with its own list answers the question mark", () => {
  const list = document.querySelector<HTMLDialogElement>("dialog")!;
  page(`<div data-own-keys></div>`);
  press("?");
  expect(list.open).toBe(false);
  expect(left).toHaveBeenCalledWith("?");
  page("");
  press("?");
  expect(list.open).toBe(true);
});

test("arrows scroll a picture at full size, and turn the page anywhere else", () => {
  page(`<a id="older" data-key="j"></a><div data-stage tabindex="0"></div>`);
  press("ArrowRight", document.querySelector("[data-stage]")!);
  expect(pressed).not.toHaveBeenCalled();
  press("ArrowRight");
  expect(pressed).toHaveBeenCalledWith("older");
});
