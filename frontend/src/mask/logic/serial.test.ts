import { expect, test } from "vitest";
import { LOW } from "./geometry";
import { type Edits, newPart, NOTHING, withFinish, withPart, withStroke } from "./model";
import { LARGEST_EDITS, packEdits, packPlane, unpackEdits, unpackPlane } from "./serial";

const PHOTO = { width: 1200, height: 1800 };

/** A blob as a decoder draws it: smooth, with a rough edge. */
function blob(seed: number): Float32Array {
  return Float32Array.from({ length: LOW * LOW }, (_, at) => {
    const x = at % LOW;
    const y = Math.floor(at / LOW);
    return 60 - Math.hypot(x - 90 - seed, y - 128) / 1.4 + 2 * Math.sin(x * 0.9 + seed) * Math.cos(y * 0.7) + ((x * y + seed) % 7) * 0.3;
  });
}

function worked(): Edits {
  const auto = newPart("p1", { proposal: "full" });
  const clicked = newPart("p2", {
    clicks: [{ x: 600.25, y: 900.5, add: true }, { x: 10, y: 20, add: false }],
    box: { x0: 1, y0: 2, x1: 300, y1: 400 },
    plane: { id: "x", logits: blob(1) },
    adds: false,
    shown: false,
  });
  const painted = withStroke(withPart(withPart(NOTHING, auto), clicked), { add: false, radius: 24.5, path: [1, 2, 3, 4] });
  return withFinish(painted, { grow: -3, feather: 2, fillHoles: false });
}

test("what was done comes back", async () => {
  const before = worked();
  const after = await unpackEdits(await packEdits(before, PHOTO), PHOTO);
  expect(after?.finish).toEqual(before.finish);
  expect(after?.selected).toBe("p3");
  expect(after?.parts.map(({ plane: _plane, ...part }) => part)).toEqual([
    newPart("p1", { proposal: "full" }),
    { ...before.parts[1]!, plane: undefined, clicks: [{ x: 600.3, y: 900.5, add: true }, { x: 10, y: 20, add: false }] },
    before.parts[2]!,
  ].map(({ plane: _plane, ...part }) => part));
});

test("logits come back to a sixteenth where it matters, and on their own side of 0 everywhere", async () => {
  const logits = blob(3);
  logits[5] = 0.001;
  logits[6] = -0.001;
  const again = await unpackPlane(await packPlane(logits));
  expect(again.every((logit, at) => logit > 0 === logits[at]! > 0)).toBe(true);
  const near = again.filter((logit, at) => Math.abs(logits[at]!) < 7.9 && Math.abs(logit - logits[at]!) > 0.13);
  expect(near).toHaveLength(0);
});

test("a plane is small", async () => {
  expect((await packPlane(blob(2))).length).toBeLessThan(20_000);
});

test("very much work still fits, and its clicks and strokes are all there", async () => {
  let edits: Edits = NOTHING;
  for (let part = 0; part < 60; part += 1) {
    edits = withPart(edits, newPart(`p${part}`, { clicks: [{ x: part, y: 1, add: true }], plane: { id: `${part}`, logits: blob(part) } }));
  }
  const text = await packEdits(edits, PHOTO);
  expect(text.length).toBeLessThanOrEqual(LARGEST_EDITS);
  const again = await unpackEdits(text, PHOTO);
  expect(again?.parts.map((part) => part.clicks[0]?.x)).toEqual(edits.parts.map((_, at) => at));
  expect(again?.parts.at(-1)?.plane).not.toBeNull(); // what was done last keeps its mask
});

test("edits of another photo are not taken for this one's", async () => {
  expect(await unpackEdits(await packEdits(worked(), PHOTO), { width: 1200, height: 1801 })).toBeNull();
});

test.each([
  ["nothing", null],
  ["no JSON", "{"],
  ["another version", { version: 2, photo: [1200, 1800], parts: [], selected: null, finish: {} }],
  ["a part without clicks", { version: 1, photo: [1200, 1800], selected: null, parts: [{ id: "p1" }], finish: NOTHING.finish }],
  ["an endless finish", { version: 1, photo: [1200, 1800], selected: null, parts: [], finish: { ...NOTHING.finish, grow: "9" } }],
])("%s is no edits", async (_what, value) => {
  expect(await unpackEdits(value, PHOTO)).toBeNull();
});

test("a damaged plane is no edits", async () => {
  const value = JSON.parse(await packEdits(worked(), PHOTO)) as { parts: { plane: string | null }[] };
  value.parts[1]!.plane = "AAAA";
  expect(await unpackEdits(value, PHOTO)).toBeNull();
});
