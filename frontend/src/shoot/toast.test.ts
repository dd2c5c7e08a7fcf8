import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { toast } from "../../plain/js/toast.js";

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = `<div class="toasts"></div>`;
});
afterEach(() => {
  vi.useRealTimers();
});

test("a toast goes by itself, but not while somebody is at its button", () => {
  toast("Deleted", "good", { label: "Undo", run: () => undefined });
  const button = document.querySelector<HTMLElement>(".toast .link-button")!;
  button.focus();
  vi.advanceTimersByTime(20_000);
  expect(document.querySelector(".toast")).not.toBeNull();
  button.blur();
  vi.advanceTimersByTime(6000);
  expect(document.querySelector(".toast")).toBeNull();
});
