// Whoever ordered a training and stayed on its page is offered to stop it as soon as it runs.
import { afterEach, beforeEach, expect, it, vi } from "vitest";

let status: string;
const controls = () => `<div data-controls="${status}">${status === "running" ? "<button>Stop and keep it</button>" : ""}</div>`;
const shown = () => document.querySelector("[data-controls] button") !== null;

/** As js/progress.js tells of a change. */
async function tell(now: string): Promise<void> {
  status = now;
  const event = new CustomEvent("imodel:progress", { detail: { status, mark: `${now} ${Math.random()}` } });
  document.querySelector("[data-training]")?.dispatchEvent(event);
  await vi.advanceTimersByTimeAsync(2000); // the pause between two fetches
}

beforeEach(async () => {
  vi.useFakeTimers();
  status = "queued";
  vi.stubGlobal("fetch", async () => new Response(`${controls()}<p>curves</p>`));
  document.body.innerHTML = `<div data-training="/training/1/live"><div data-live></div>${controls()}</div>`;
  vi.resetModules();
  await import("../../plain/js/training.js");
});

afterEach(() => {
  vi.useRealTimers();
  document.body.innerHTML = "";
});

it("what a running training can be asked appears when it runs and goes when it waits again", async () => {
  await tell("queued");
  expect(shown()).toBe(false);
  await tell("running");
  expect(shown()).toBe(true);
  expect(document.querySelector("[data-live]")?.textContent).toBe("curves");
  await tell("queued"); // its worker was lost
  expect(shown()).toBe(false);
});
