import { createRoot } from "solid-js";
import { render } from "solid-js/web";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { editing } from "./editing";
import { Preview } from "./Preview";
import { aState } from "./testing";

const drawing = vi.fn(async () => new Response(new Blob(["picture"])));

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", drawing);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("one drawing for each change, however long the page stays open", async () => {
  const now = createRoot(() => editing(aState(), (key) => key));
  const end = render(() => <Preview editing={now} crops={[["head-to-toe", "All"]]} />, document.body);
  await vi.advanceTimersByTimeAsync(3000);
  expect(document.querySelector("img")).not.toBeNull();
  expect(drawing).toHaveBeenCalledTimes(1);
  now.move(0, { x: 1, y: 1 }, "drag");
  await vi.advanceTimersByTimeAsync(3000);
  expect(drawing).toHaveBeenCalledTimes(2);
  end();
});
