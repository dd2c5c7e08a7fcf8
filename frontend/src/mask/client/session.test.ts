// What is done while an answer is awaited counts: the answer finds its place in it, or is dropped.
import { createRoot } from "solid-js";
import { beforeEach, expect, test, vi } from "vitest";
import { LOW } from "../logic/geometry";
import { Mailbox } from "../logic/mailbox";
import { newPart, NOTHING, withPart } from "../logic/model";
import type { Decoded, Prompt } from "../logic/prompts";
import type { Decoder } from "./decoder";
import type { Raster } from "./raster";
import { type Happening, Session } from "./session";

const SHOWN = { pixels: new Uint8ClampedArray(4), outline: "", share: 1 };
const DECODED: Decoded = { planes: new Float32Array(4 * LOW * LOW), iou: [0, 1, 0, 0] };
const STROKE = { add: true, radius: 2, path: [1, 1] };

let session: Session;
let asked: number[];
let told: Happening[];
let preview: (pixels: Uint8ClampedArray) => void;
const box = () => new Mailbox<Prompt, Decoded>((number) => asked.push(number));
let mailbox: Mailbox<Prompt, Decoded>;

beforeEach(() => {
  asked = [];
  told = [];
  mailbox = box();
  const raster = {
    compose: async () => SHOWN,
    preview: () => new Promise((resolve) => (preview = resolve)),
  } as unknown as Raster;
  session = createRoot(() => new Session({ width: 8, height: 8 }, raster, (what) => told.push(what), (error) => void expect.unreachable(String(error))));
  session.use({ rung: { where: "device", threads: 1 }, box: mailbox } as unknown as Decoder);
});

async function answered(): Promise<void> {
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0));
  mailbox.answered(asked.shift()!, DECODED);
  await vi.waitFor(() => expect(session.pending).toBeNull());
  await new Promise((resolve) => setTimeout(resolve, 0));
}

const click = async (): Promise<void> => {
  session.click({ x: 4, y: 4, add: true });
  await vi.waitFor(() => expect(asked).toHaveLength(1));
};

test("a stroke that was painted while a first click was awaited is still there", async () => {
  await click();
  session.stroke(STROKE);
  await answered();
  expect(session.edits.parts.map((part) => [part.id, part.strokes.length, part.clicks.length])).toEqual([["p1", 1, 0], ["p2", 0, 1]]);
});

test("a part that was deleted, undone or changed meanwhile does not come back as it was", async () => {
  session.begin(withPart(NOTHING, newPart("p1", { clicks: [{ x: 1, y: 1, add: true }] })));
  await click();
  session.remove("p1");
  await answered();
  expect(session.edits.parts).toEqual([]);
  session.undo();
  await click();
  session.change(session.edits.parts[0]!, { shown: false });
  await answered();
  expect(session.edits.parts).toMatchObject([{ id: "p1", shown: false, clicks: [{ x: 1, y: 1 }] }]);
});

test("a preview that arrives after the pointer left is not shown", async () => {
  const hovered = session.hover({ x: 4, y: 4, add: true });
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  mailbox.answered(asked.shift()!, DECODED);
  await vi.waitFor(() => expect(preview).toBeDefined());
  session.leave();
  preview(new Uint8ClampedArray(4));
  await hovered;
  expect(session.guess).toBeNull();
});
