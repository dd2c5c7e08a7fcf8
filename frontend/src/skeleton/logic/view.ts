// What part of the photo the stage shows: screen = (photo - origin) * scale.
import { isDrawn, type Figure, type Point } from "./figure";

export interface View extends Point {
  /** CSS pixels for one of the photo. */
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const MARGIN = 0.04; // of the stage, around what is fitted
const CLOSEST = 12; // times as close as when all of it is shown
const FARTHEST = 0.5;

/** `box` in the middle of the stage, as large as it goes. */
export function fitted(box: Box, stage: Size): View {
  const [width, height] = [Math.max(box.right - box.left, 1), Math.max(box.bottom - box.top, 1)];
  const room = 1 - 2 * MARGIN;
  const scale = Math.max(Math.min((stage.width * room) / width, (stage.height * room) / height), 1e-6);
  const [x, y] = [(box.left + box.right) / 2 - stage.width / scale / 2, (box.top + box.bottom) / 2 - stage.height / scale / 2];
  return { x, y, scale };
}

/** The photo and every joint that is drawn. */
export function boxOf(photo: Size, figure: Figure): Box {
  const drawn = figure.filter(isDrawn);
  const xs = drawn.map((joint) => joint.x);
  const ys = drawn.map((joint) => joint.y);
  return {
    left: Math.min(0, ...xs),
    top: Math.min(0, ...ys),
    right: Math.max(photo.width, ...xs),
    bottom: Math.max(photo.height, ...ys),
  };
}

/** `factor` times as close, the point under `screen` staying where it is. */
export function zoomed(view: View, factor: number, screen: Point, whole: View): View {
  const scale = Math.min(Math.max(view.scale * factor, whole.scale * FARTHEST), whole.scale * CLOSEST);
  const fixed = toPhoto(view, screen);
  return { x: fixed.x - screen.x / scale, y: fixed.y - screen.y / scale, scale };
}

/** Moved along with a drag of that many CSS pixels. */
export function panned(view: View, by: Point): View {
  return { ...view, x: view.x - by.x / view.scale, y: view.y - by.y / view.scale };
}

/** Two fingers: from where they were to where they are. */
export function pinched(view: View, before: readonly [Point, Point], after: readonly [Point, Point], whole: View): View {
  const [from, to] = [middle(before), middle(after)];
  const spread = distance(before[0], before[1]);
  const moved = panned(view, { x: to.x - from.x, y: to.y - from.y });
  return spread > 0 ? zoomed(moved, distance(after[0], after[1]) / spread, to, whole) : moved;
}

export function toPhoto(view: View, screen: Point): Point {
  return { x: view.x + screen.x / view.scale, y: view.y + screen.y / view.scale };
}

export function toScreen(view: View, point: Point): Point {
  return { x: (point.x - view.x) * view.scale, y: (point.y - view.y) * view.scale };
}

/** The joint of `choices` that lies nearest to a place on the screen, within `reach` CSS pixels; null for none. */
export function nearest(view: View, figure: Figure, choices: readonly number[], screen: Point, reach: number): number | null {
  let found: number | null = null;
  let least = reach;
  for (const index of choices) {
    const joint = figure[index];
    const apart = joint ? distance(toScreen(view, joint), screen) : Infinity;
    if (apart <= least) [found, least] = [index, apart];
  }
  return found;
}

function middle([one, other]: readonly [Point, Point]): Point {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
