// Saving and drafts: what was dragged is never thrown back, and never dropped unasked.
import { createRoot } from "solid-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { drafts } from "../shared/db";
import type { State } from "./client";
import { keepDrafts, takeUpDraft } from "./drafts";
import { type Editing, editing } from "./editing";
import { at } from "./logic/figure";
import { aState, ROWS } from "./testing";

const OWNER = `${"a".repeat(32)}.${"b".repeat(32)}`;
let answer: (state: State) => void;

beforeEach(() => {
  document.body.innerHTML = `<script type="application/json" id="pwa">${JSON.stringify({ account: `${OWNER}.${"0".repeat(12)}` })}</script>`;
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => (answer = (state) => resolve(Response.json(state)))));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

function opened(rest: Partial<State> = {}): Editing {
  return createRoot(() => editing(aState(rest), (key) => key));
}

const byHand = (x: number) => ROWS.map((row, index) => (index === 0 ? ([x, row[1], 0, 1, "placed"] as const) : row));

test("while a save is on its way nothing can be dragged, and what the server rounded is what is saved", async () => {
  const now = opened();
  now.move(0, { x: 5, y: 0 }, "one");
  const saving = now.save();
  now.move(0, { x: 7, y: 0 }, "two");
  now.undo();
  expect(at(now.figure(), 0).x).toBe(5);
  answer(aState({ rows: byHand(4.5), version: "v1" }));
  await saving;
  expect(at(now.figure(), 0).x).toBe(4.5);
  expect(now.dirty()).toBe(false);
  expect(now.state().version).toBe("v1");
  expect(now.busy()).toBe(false);
  now.undo();
  expect(at(now.figure(), 0).x).toBe(0);
});

test("a figure that was left over another saved pose is offered, and kept until one has chosen", async () => {
  const left = opened({ version: "v1" });
  left.move(0, { x: 9, y: 0 }, "drag");
  await drafts.put(OWNER, "skeleton//save", { figure: left.figure(), base: "v1" });
  const now = opened({ version: "v2" });
  await takeUpDraft(now);
  createRoot(() => keepDrafts(now));
  expect(at(now.figure(), 0).x).toBe(0);
  expect(at(now.conflict()!, 0).x).toBe(9);
  expect(await drafts.get(OWNER, "skeleton//save")).toMatchObject({ base: "v1" });
  now.takeUp(now.conflict()!);
  now.setConflict(null);
  await vi.waitFor(async () => expect(await drafts.get(OWNER, "skeleton//save")).toMatchObject({ base: "v2" }));
});
