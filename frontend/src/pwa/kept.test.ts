import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { sayOld, watchTouches } from "./kept";
import type { Pwa } from "./page";

const PWA: Pwa = { account: "", worker: "", state: "", leaving: [], words: { changed: "It changed." } };
let reloads: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  document.head.innerHTML = '<meta name="kept" content="7">';
  document.body.innerHTML = '<main></main><div class="toasts"></div>';
  reloads = vi.spyOn(location, "reload").mockImplementation(() => undefined);
});
afterEach(() => vi.restoreAllMocks());

it("the line is back: a page that nobody touched loads again", () => {
  sayOld(PWA, watchTouches());
  window.dispatchEvent(new Event("online"));
  expect(reloads).toHaveBeenCalledOnce();
});

it("the line is back: whoever has begun something is asked", () => {
  sayOld(PWA, watchTouches());
  window.dispatchEvent(new Event("keydown"));
  window.dispatchEvent(new Event("online"));
  expect(reloads).not.toHaveBeenCalled();
  expect(document.querySelector("[data-offer=changed]")?.textContent).toContain("It changed.");
});
