import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Pwa } from "./page";
import { startWorker } from "./worker";

const PWA: Pwa = { account: "me", worker: "/sw.js", state: "", leaving: [], words: { new_version: "New.", load_it: "Load it" } };

beforeEach(() => {
  document.head.innerHTML = "";
  document.body.innerHTML = '<div class="toasts"></div>';
});
afterEach(() => vi.restoreAllMocks());

/** A browser whose page is served by `controller`; what is posted to the active and to the waiting worker. */
function browser(controller: object | null) {
  const [active, waiting] = [vi.fn(), vi.fn()];
  const registration = { active: { postMessage: active }, waiting: { postMessage: waiting } as object | null, addEventListener: vi.fn() };
  const value = { controller, register: async () => registration, ready: Promise.resolve(registration), addEventListener: vi.fn() };
  Object.defineProperty(navigator, "serviceWorker", { value, configurable: true });
  vi.spyOn(globalThis, "setInterval").mockReturnValue(0 as unknown as ReturnType<typeof setInterval>);
  return { active, waiting, registration };
}

it.each([[null, true], [{}, false]])("a tab served by %o says whether it is alone, and how fresh it is", async (controller, alone) => {
  const { active } = browser(controller);
  startWorker(PWA);
  await vi.waitFor(() => expect(active).toHaveBeenCalled());
  expect(active.mock.calls[0]?.[0]).toMatchObject({ type: "hello", account: "me", alone, asked: expect.any(Number) });
});

it("a kept page says nothing about who is there now", async () => {
  document.head.innerHTML = '<meta name="kept" content="7">';
  const { active } = browser({});
  startWorker(PWA);
  await vi.waitFor(() => expect(active).toHaveBeenCalled());
  expect(active.mock.calls[0]?.[0]).toMatchObject({ asked: 0 });
});

it("a version that another tab agreed to is loaded all the same", async () => {
  const reload = vi.spyOn(location, "reload").mockImplementation(() => undefined);
  const { registration, waiting } = browser({});
  startWorker(PWA);
  await vi.waitFor(() => expect(document.querySelector("[data-offer=version]")).not.toBeNull());
  const button = document.querySelector<HTMLButtonElement>("[data-offer=version] .primary");
  button?.click();
  expect([waiting.mock.calls, reload.mock.calls.length]).toEqual([[[{ type: "skip" }]], 0]);
  registration.waiting = null;
  button?.click();
  expect(reload).toHaveBeenCalledOnce();
});
