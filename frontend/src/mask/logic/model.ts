// What the merchant has done to a photo: parts that add to or take from one mask, and how its edge is finished.
// Everything here is immutable: undo keeps old values as they are.
import type { Box, Size } from "./geometry";

export interface Click {
  readonly x: number;
  readonly y: number;
  /** true: this belongs to it; false: this does not. */
  readonly add: boolean;
}
/** The decoder's logits over the padded square, LOW x LOW; above 0 is inside. */
export interface Plane {
  readonly id: string;
  readonly logits: Float32Array;
}
/** The three answers to a first click, smallest first. */
export interface Candidates {
  readonly planes: readonly Plane[];
  readonly chosen: number;
}
/** One pull of the brush (add) or the eraser; ``path`` is x, y, x, y, ... and ``radius`` as well in pixels of the photo. */
export interface Stroke {
  readonly add: boolean;
  readonly radius: number;
  readonly path: readonly number[];
}
export interface Part {
  readonly id: string;
  readonly adds: boolean;
  readonly shown: boolean;
  readonly clicks: readonly Click[];
  readonly box: Box | null;
  readonly plane: Plane | null;
  readonly candidates: Candidates | null;
  /** A finished mask that it starts from: the name of an automatic proposal, or "saved". */
  readonly proposal: string | null;
  readonly strokes: readonly Stroke[];
}
export interface Finish {
  /** Half the width of the soft edge, in pixels of the photo. */
  readonly feather: number;
  /** How far the edge moves out (above 0) or in, in pixels of the photo. */
  readonly grow: number;
  readonly fillHoles: boolean;
  readonly dropSpecks: boolean;
}
export interface Edits {
  readonly parts: readonly Part[];
  readonly selected: string | null;
  readonly finish: Finish;
}

export const PLAIN: Finish = { feather: 0, grow: 0, fillHoles: true, dropSpecks: true };
export const NOTHING: Edits = { parts: [], selected: null, finish: PLAIN };

export function newPart(id: string, rest: Partial<Part> = {}): Part {
  return { id, adds: true, shown: true, clicks: [], box: null, plane: null, candidates: null, proposal: null, strokes: [], ...rest };
}

/** A name that no part has yet. */
export function freshId(edits: Edits): string {
  const taken = edits.parts.map((part) => Number(part.id.slice(1))).filter(Number.isFinite);
  return `p${Math.max(0, ...taken) + 1}`;
}

export function selectedPart(edits: Edits): Part | null {
  return edits.parts.find((part) => part.id === edits.selected) ?? null;
}

/** Whether both mark the same, whatever is selected. */
export function sameMask(one: Edits, other: Edits): boolean {
  return one.parts === other.parts && one.finish === other.finish;
}

export function isPainted(part: Part): boolean {
  return part.strokes.length > 0;
}

/** The part that a click refines: the selected one, unless that was painted. ``null``: the click begins a new one. */
export function clickedPart(edits: Edits): Part | null {
  const part = selectedPart(edits);
  return part && !isPainted(part) ? part : null;
}

export function withPart(edits: Edits, part: Part): Edits {
  const known = edits.parts.some((other) => other.id === part.id);
  const parts = known ? edits.parts.map((other) => (other.id === part.id ? part : other)) : [...edits.parts, part];
  return { ...edits, parts, selected: part.id };
}

/** A part as it was asked for, where it still belongs; ``null`` when what it was made of is gone, or another by now. */
export function landing(edits: Edits, before: Edits, part: Part): Part | null {
  const old = before.parts.find((one) => one.id === part.id);
  if (!old) return { ...part, id: freshId(edits) };
  return edits.parts.includes(old) ? part : null;
}

export function withoutPart(edits: Edits, id: string): Edits {
  const parts = edits.parts.filter((part) => part.id !== id);
  const selected = edits.selected === id ? (parts.at(-1)?.id ?? null) : edits.selected;
  return { ...edits, parts, selected };
}

/** Strokes gather in one part until something else is begun, so that a minute of painting is one line of the list. */
export function withStroke(edits: Edits, stroke: Stroke): Edits {
  const last = edits.parts.at(-1);
  const part = last && isPainted(last) && last.shown ? last : newPart(freshId(edits));
  return withPart(edits, { ...part, strokes: [...part.strokes, stroke] });
}

export function withFinish(edits: Edits, finish: Partial<Finish>): Edits {
  return { ...edits, finish: { ...edits.finish, ...finish } };
}

/** Whether a part has anything to say about the mask. */
export function marksSomething(part: Part): boolean {
  return part.plane !== null || part.proposal !== null || part.strokes.length > 0;
}

/** How far the sliders go, in pixels of the photo. */
export function furthest(photo: Size): { grow: number; feather: number } {
  const side = Math.max(photo.width, photo.height);
  return { grow: Math.max(4, Math.round(side * 0.02)), feather: Math.max(4, Math.round(side * 0.015)) };
}
