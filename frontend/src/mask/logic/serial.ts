// Edits as JSON: what the server keeps beside a mask and a draft keeps on the device. Bounded: when it gets too long, the
// decoder's logits become coarser and then go, oldest first; clicks, strokes and the finish always stay.
import { LOW, type Size } from "./geometry";
import { type Click, type Edits, type Finish, type Part, type Plane, PLAIN, type Stroke } from "./model";

export const LARGEST_EDITS = 190_000; // characters; the server takes 200 kB
const CLIP = 8; // logits beyond it are sure of themselves
const STEPS = [63, 15, 5]; // levels on each side of 0, ever coarser

/** What is in the JSON; every field is checked when it is read, because it comes from a disk. */
interface Packed {
  version: 1;
  /** Another one each time it is packed: it tells whether what the server has is what was sent. */
  name: string;
  photo: [number, number];
  parts: PackedPart[];
  selected: string | null;
  finish: Finish;
}
interface PackedPart {
  id: string;
  adds: boolean;
  shown: boolean;
  clicks: [number, number, 0 | 1][];
  box: [number, number, number, number] | null;
  plane: string | null;
  proposal: string | null;
  strokes: { add: boolean; radius: number; path: readonly number[] }[];
}

export async function packEdits(edits: Edits, photo: Size): Promise<string> {
  for (const steps of STEPS) {
    const text = JSON.stringify(await packed(edits, photo, steps));
    if (text.length <= LARGEST_EDITS) return text;
  }
  const coarsest = await packed(edits, photo, STEPS.at(-1)!);
  for (const part of coarsest.parts) {
    part.plane = null;
    const text = JSON.stringify(coarsest);
    if (text.length <= LARGEST_EDITS) return text;
  }
  return JSON.stringify({ ...coarsest, parts: [] });
}

async function packed(edits: Edits, photo: Size, steps: number): Promise<Packed> {
  const parts = await Promise.all(edits.parts.map((part) => packedPart(part, steps)));
  return { version: 1, name: crypto.randomUUID(), photo: [photo.width, photo.height], parts, selected: edits.selected, finish: edits.finish };
}

async function packedPart(part: Part, steps: number): Promise<PackedPart> {
  const { id, adds, shown, box, proposal } = part;
  return {
    id,
    adds,
    shown,
    proposal,
    clicks: part.clicks.map(({ x, y, add }) => [rounded(x), rounded(y), add ? 1 : 0]),
    box: box ? [rounded(box.x0), rounded(box.y0), rounded(box.x1), rounded(box.y1)] : null,
    plane: part.plane ? await packPlane(part.plane.logits, steps) : null,
    strokes: part.strokes.map(({ add, radius, path }) => ({ add, radius: rounded(radius), path: path.map(rounded) })),
  };
}

/** The name of packed edits; "" where they have none. */
export function saveName(source: unknown): string {
  try {
    const value: unknown = typeof source === "string" ? JSON.parse(source) : source;
    return isRecord(value) && typeof value.name === "string" ? value.name : "";
  } catch {
    return "";
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Logits in levels, each as its difference from the one before, deflated, in base64: some 5 to 20 kB. */
export async function packPlane(logits: Float32Array, steps = STEPS[0]!): Promise<string> {
  const bytes = new Uint8Array(logits.length + 1);
  bytes[0] = steps;
  let before = 0;
  for (let at = 0; at < logits.length; at += 1) {
    const level = levelOf(logits[at]!, steps);
    bytes[at + 1] = level - before;
    before = level;
  }
  return toBase64(await through(bytes, new CompressionStream("deflate-raw")));
}

/** No logit changes sides: what is barely inside stays inside. */
function levelOf(logit: number, steps: number): number {
  const level = Math.round((Math.min(CLIP, Math.max(-CLIP, logit)) / CLIP) * steps);
  return logit > 0 ? Math.max(1, level) : Math.min(-1, level);
}

export async function unpackPlane(text: string): Promise<Float32Array> {
  const bytes = await through(fromBase64(text), new DecompressionStream("deflate-raw"));
  const steps = bytes[0] ?? 0;
  if (bytes.length !== LOW * LOW + 1 || steps < 1) throw new Error("a plane of another size");
  const logits = new Float32Array(LOW * LOW);
  let level = 0;
  for (let at = 0; at < logits.length; at += 1) {
    level = ((level + bytes[at + 1]! + 128) & 0xff) - 128;
    logits[at] = (level / steps) * CLIP;
  }
  return logits;
}

async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Edits out of JSON (text or parsed); ``null`` when it is not ours, damaged, or of another photo. */
export async function unpackEdits(source: unknown, photo: Size): Promise<Edits | null> {
  try {
    const value: unknown = typeof source === "string" ? JSON.parse(source) : source;
    if (!isPacked(value) || value.photo[0] !== photo.width || value.photo[1] !== photo.height) return null;
    const parts = await Promise.all(value.parts.map(unpackedPart));
    const selected = parts.some((part) => part.id === value.selected) ? value.selected : null;
    return { parts, selected, finish: { ...PLAIN, ...value.finish } };
  } catch {
    return null; // the mask itself is still there; only the steps that led to it are lost
  }
}

async function unpackedPart(part: PackedPart): Promise<Part> {
  const plane: Plane | null = part.plane === null ? null : { id: `${part.id}.kept`, logits: await unpackPlane(part.plane) };
  return {
    id: part.id,
    adds: part.adds,
    shown: part.shown,
    clicks: part.clicks.map(([x, y, add]): Click => ({ x, y, add: add === 1 })),
    box: part.box ? { x0: part.box[0], y0: part.box[1], x1: part.box[2], y1: part.box[3] } : null,
    plane,
    candidates: null,
    proposal: part.proposal,
    strokes: part.strokes.map(({ add, radius, path }): Stroke => ({ add, radius, path })),
  };
}

function isPacked(value: unknown): value is Packed {
  if (!isRecord(value) || value.version !== 1 || !isNumbers(value.photo, 2)) return false;
  if (!Array.isArray(value.parts) || !value.parts.every(isPackedPart) || !isFinish(value.finish)) return false;
  return value.selected === null || typeof value.selected === "string";
}

function isPackedPart(value: unknown): value is PackedPart {
  if (!isRecord(value) || typeof value.id !== "string") return false;
  if (typeof value.adds !== "boolean" || typeof value.shown !== "boolean") return false;
  if (!isNullable(value.plane) || !isNullable(value.proposal)) return false;
  if (!Array.isArray(value.clicks) || !value.clicks.every((click) => isNumbers(click, 3))) return false;
  if (value.box !== null && !isNumbers(value.box, 4)) return false;
  return Array.isArray(value.strokes) && value.strokes.every(isStroke);
}

function isStroke(value: unknown): value is Stroke {
  if (!isRecord(value) || typeof value.add !== "boolean" || typeof value.radius !== "number") return false;
  return Array.isArray(value.path) && value.path.length >= 2 && isNumbers(value.path, value.path.length - (value.path.length % 2));
}

function isFinish(value: unknown): value is Finish {
  if (!isRecord(value) || typeof value.feather !== "number" || typeof value.grow !== "number") return false;
  return typeof value.fillHoles === "boolean" && typeof value.dropSpecks === "boolean";
}

function isNullable(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isNumbers(value: unknown, count: number): value is number[] {
  return Array.isArray(value) && value.length === count && value.every((one) => typeof one === "number" && Number.isFinite(one));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
