// The 33 landmarks and the 18 joints that ControlNet reads of them, with the studio's own numbers (a test compares figure.json
// with studio/pose). Points are in pixels of the photo, x right and y down.
import numbers from "../figure.json";

/** Of what was seen by the look: well, badly, or not at all; or set by the merchant. */
export type JointState = "seen" | "weak" | "invented" | "placed";

export interface Joint {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** 0..1; what lies under DRAWN_FROM is left out of the drawing. */
  readonly sure: number;
  readonly state: JointState;
}

/** 33 of them. */
export type Figure = readonly Joint[];
/** As the server sends and takes them; the state is not taken. */
export type Row = readonly [x: number, y: number, z: number, sure: number, state?: JointState];

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** One limb as the studio draws it: an ellipse of this half-length and half-width about its middle. */
export interface Limb {
  readonly colour: string;
  readonly x: number;
  readonly y: number;
  readonly halfLength: number;
  readonly degrees: number;
  /** Whether one of its ends was not seen. */
  readonly guessed: boolean;
}

export const LANDMARKS = 33;
export const DRAWN_FROM = 0.05;
export const TRUNK: readonly number[] = numbers.trunk;
export const PAIRS = inTwos(numbers.pairs);
/** Landmarks that a joint of the 18 is made of; the neck is the middle of the shoulders. */
export const SOURCES: readonly (readonly number[])[] = numbers.sources;
/** The landmarks that the drawing shows; the others only follow them. */
export const MAIN: readonly number[] = SOURCES.flatMap((source) => (source.length === 1 ? source : []));
const PARENTS = inTwos([...numbers.parents, ...numbers.face]);

function inTwos(lists: readonly (readonly number[])[]): readonly (readonly [number, number])[] {
  return lists.map(([one = 0, other = 0]) => [one, other]);
}

export function figureOf(rows: readonly Row[]): Figure {
  return rows.map(([x, y, z, sure, state]) => ({ x, y, z, sure, state: state ?? "placed" }));
}

/** To be sent: rounded to a hundredth of a pixel. */
export function rowsOf(figure: Figure): Row[] {
  const round = (value: number) => Math.round(value * 100) / 100;
  return figure.map((joint) => [round(joint.x), round(joint.y), round(joint.z), joint.sure]);
}

/** Landmarks that hang on a joint, the nearest first. */
export function hangingOn(joint: number): number[] {
  const children = PARENTS.flatMap(([child, parent]) => (parent === joint ? [child] : []));
  return children.flatMap((child) => [child, ...hangingOn(child)]);
}

/** Those that the drawing does not show, and which so go along with any move. */
export function tipsOf(joint: number): number[] {
  return hangingOn(joint).filter((other) => !MAIN.includes(other) && parentOf(other) === joint);
}

function parentOf(joint: number): number | undefined {
  return PARENTS.find(([child]) => child === joint)?.[1];
}

export function isDrawn(joint: Joint): boolean {
  return joint.sure >= DRAWN_FROM;
}

/** OpenPose's 18 joints, the least sure of its sources each. */
export function to18(figure: Figure): Joint[] {
  return SOURCES.map((sources) => {
    const parts = sources.map((index) => at(figure, index));
    const mean = (key: "x" | "y" | "z") => parts.reduce((sum, part) => sum + part[key], 0) / parts.length;
    const least = parts.reduce((a, b) => (b.sure < a.sure ? b : a));
    return { x: mean("x"), y: mean("y"), z: mean("z"), sure: least.sure, state: worst(parts) };
  });
}

function worst(parts: readonly Joint[]): JointState {
  const order: readonly JointState[] = ["invented", "weak", "placed", "seen"];
  return order.find((state) => parts.some((part) => part.state === state)) ?? "seen";
}

/** Limbs between joints that are drawn, in the order they are painted. */
export function limbsOf(figure: Figure): Limb[] {
  const joints = to18(figure);
  return numbers.limbs.flatMap(([a, b], index) => {
    const one = at(joints, a ?? 0);
    const other = at(joints, b ?? 0);
    return isDrawn(one) && isDrawn(other) ? [limb(one, other, colourOf(index))] : [];
  });
}

function limb(one: Joint, other: Joint, colour: string): Limb {
  const [dx, dy] = [other.x - one.x, other.y - one.y];
  return {
    colour,
    x: (one.x + other.x) / 2,
    y: (one.y + other.y) / 2,
    halfLength: Math.hypot(dx, dy) / 2,
    degrees: (Math.atan2(dy, dx) * 180) / Math.PI,
    guessed: one.state === "invented" || other.state === "invented",
  };
}

/** The colour of one of the 18 joints, and of the limb of that number. */
export function colourOf(index: number): string {
  return `rgb(${(numbers.colours[index] ?? [255, 255, 255]).join(" ")})`;
}

/** The colour of a landmark: that of the joint it is, or hangs on. */
export function colourOfLandmark(landmark: number): string {
  const index = SOURCES.findIndex((sources) => sources.length === 1 && sources[0] === landmark);
  const parent = parentOf(landmark);
  if (index >= 0) return colourOf(index);
  return parent === undefined ? colourOf(0) : colourOfLandmark(parent);
}

/** The half-width of a limb in a picture of this size, in its pixels: 4 at 512 x 768. */
export function halfWidth(width: number, height: number): number {
  return Math.max(1, (4 * Math.max(width, height)) / 768);
}

/** An element that the 33, or the 18, always have. */
export function at<T>(items: readonly T[], index: number): T {
  const found = items[index];
  if (found === undefined) throw new RangeError(`no element ${index}`);
  return found;
}
