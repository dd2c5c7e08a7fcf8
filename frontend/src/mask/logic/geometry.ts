// Where things are. Points are x right, y down, in pixels of the photo unless a name says otherwise.

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}
/** How the photo lies in the stage: stage = photo * scale + (x, y). */
export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** The side of the square that SAM sees; the photo lies in its top left corner, its longest side as long as the square's. */
export const SQUARE = 1024;
/** The side of the decoder's masks, which cover the whole square. */
export const LOW = 256;
/** The longest side of what is computed and shown while editing. */
export const WORKING = 1024;
const CLOSEST = 16; // stage pixels for one of the photo's

export function longest(size: Size): number {
  return Math.max(size.width, size.height);
}

/** The grid that masks are worked out on: the photo's own where it is small. */
export function workingSize(photo: Size): Size {
  const scale = Math.min(1, WORKING / longest(photo));
  return { width: Math.max(1, Math.round(photo.width * scale)), height: Math.max(1, Math.round(photo.height * scale)) };
}

/** What a pixel of the photo is in SAM's square. */
export function squareScale(photo: Size): number {
  return SQUARE / longest(photo);
}

/** Two corners in any order, kept inside the photo. */
export function boxBetween(a: Point, b: Point, photo: Size): Box {
  const first = inside(a, photo);
  const second = inside(b, photo);
  return {
    x0: Math.min(first.x, second.x),
    y0: Math.min(first.y, second.y),
    x1: Math.max(first.x, second.x),
    y1: Math.max(first.y, second.y),
  };
}

export function inside(point: Point, photo: Size): Point {
  return { x: clamp(point.x, 0, photo.width), y: clamp(point.y, 0, photo.height) };
}

export function isInside(point: Point, photo: Size): boolean {
  return point.x >= 0 && point.y >= 0 && point.x <= photo.width && point.y <= photo.height;
}

export function toPhoto(view: View, stage: Point): Point {
  return { x: (stage.x - view.x) / view.scale, y: (stage.y - view.y) / view.scale };
}

export function toStage(view: View, photo: Point): Point {
  return { x: photo.x * view.scale + view.x, y: photo.y * view.scale + view.y };
}

/** The whole photo, centred, with air around it. */
export function fit(photo: Size, stage: Size, air = 16): View {
  const room = { width: Math.max(1, stage.width - 2 * air), height: Math.max(1, stage.height - 2 * air) };
  const scale = Math.min(room.width / photo.width, room.height / photo.height);
  return { scale, x: (stage.width - photo.width * scale) / 2, y: (stage.height - photo.height * scale) / 2 };
}

/** Closer by ``factor`` with what is under ``at`` (in the stage) staying there. */
export function zoomAt(view: View, at: Point, factor: number, photo: Size, stage: Size): View {
  const least = fit(photo, stage).scale / 2;
  const scale = clamp(view.scale * factor, Math.min(least, 1), CLOSEST);
  const under = toPhoto(view, at);
  return held({ scale, x: at.x - under.x * scale, y: at.y - under.y * scale }, photo, stage);
}

export function panBy(view: View, dx: number, dy: number, photo: Size, stage: Size): View {
  return held({ scale: view.scale, x: view.x + dx, y: view.y + dy }, photo, stage);
}

/** A quarter of the stage always shows the photo, so that nobody loses it. */
export function held(view: View, photo: Size, stage: Size): View {
  const keepX = Math.min(stage.width / 4, photo.width * view.scale);
  const keepY = Math.min(stage.height / 4, photo.height * view.scale);
  return {
    scale: view.scale,
    x: clamp(view.x, keepX - photo.width * view.scale, stage.width - keepX),
    y: clamp(view.y, keepY - photo.height * view.scale, stage.height - keepY),
  };
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
