// Mouse, pen and fingers on the stage: clicks, boxes, strokes, panning, pinching, hovering.
import { createSignal } from "solid-js";
import { type Box, boxBetween, isInside, type Point, toPhoto } from "../logic/geometry";
import type { Stroke } from "../logic/model";
import type { Desk } from "./desk";
import type { Session } from "./session";
import { isClicking, isPainting } from "./tools";

const STILL = 6; // stage pixels that a click may wander
const WHEEL = 0.0016; // zoom for a pixel of a wheel
const DENSE = 1.5; // stage pixels between a stroke's points
const EVERY = 40; // ms between two guesses

/** Only what is held down right now; the mask knows nothing of it yet. */
export type Doing =
  | { readonly what: "press"; readonly from: Point; readonly add: boolean }
  | { readonly what: "box"; readonly from: Point; readonly to: Point; readonly add: boolean }
  | { readonly what: "stroke"; readonly add: boolean; readonly radius: number; readonly path: number[] }
  | { readonly what: "pan" }
  | null;

export class Gestures {
  private readonly pointers = new Map<number, Point>();
  private readonly doingSignal = createSignal<Doing>(null, { equals: false });
  private readonly pointerSignal = createSignal<Point | null>(null);
  private pinched = false;
  private space = false;
  private lastGuess = 0;

  constructor(
    private readonly desk: Desk,
    private readonly session: Session,
    private readonly stage: HTMLElement,
    private readonly writable: boolean,
  ) {
    const on = <K extends keyof HTMLElementEventMap>(kind: K, hear: (event: HTMLElementEventMap[K]) => void): void =>
      stage.addEventListener(kind, hear, { passive: false });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.cancel(event));
    on("pointerleave", (event) => this.left(event));
    on("wheel", (event) => this.wheel(event));
    on("contextmenu", (event) => event.preventDefault());
  }

  get doing(): Doing {
    return this.doingSignal[0]();
  }
  /** Where the mouse is, on the stage. */
  get pointer(): Point | null {
    return this.pointerSignal[0]();
  }
  get box(): Box | null {
    const doing = this.doing;
    return doing?.what === "box" ? boxBetween(this.inPhoto(doing.from), this.inPhoto(doing.to), this.desk.photo) : null;
  }

  /** While the space bar is down, everything pans. */
  holdSpace(held: boolean): void {
    this.space = held;
  }

  /** Esc: what is held down is not done. True when there was something. */
  drop(): boolean {
    const was = this.doing !== null;
    this.set(null);
    return was;
  }

  private set(doing: Doing): void {
    this.doingSignal[1](doing);
  }

  private at(event: MouseEvent): Point {
    const { left, top } = this.stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  private inPhoto(point: Point): Point {
    return toPhoto(this.desk.view, point);
  }

  private down(event: PointerEvent): void {
    const at = this.at(event);
    this.stage.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    this.desk.leaveCursor();
    if (this.pointers.size > 1) {
      this.pinched = true;
      return this.set({ what: "pan" });
    }
    this.pinched = false;
    this.set(this.begun(event, at));
  }

  private begun(event: PointerEvent, at: Point): Doing {
    const { tool } = this.desk;
    if (event.button === 1 || this.space || tool === "hand" || !this.writable) return { what: "pan" };
    const opposite = event.altKey || event.button === 2;
    if (isPainting(tool)) return { what: "stroke", add: (tool === "brush") !== opposite, radius: this.desk.radiusInPhoto, path: this.pair(at) };
    return { what: "press", from: at, add: (tool === "add") !== opposite };
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (event.pointerType !== "touch") this.pointerSignal[1](at);
    if (!before) return this.hover(event, at);
    if (this.pointers.size > 1) this.pinch(event.pointerId, before, at);
    else this.drag(event, before, at);
    this.pointers.set(event.pointerId, at);
  }

  private drag(event: PointerEvent, before: Point, at: Point): void {
    const doing = this.doing;
    if (doing?.what === "pan" && !this.pinched) this.desk.pan(at.x - before.x, at.y - before.y);
    if (doing?.what === "press" && apart(doing.from, at) > STILL) this.set({ ...doing, what: "box", to: at });
    if (doing?.what === "box") this.set({ ...doing, to: at });
    if (doing?.what === "stroke") this.paint(doing, event);
  }

  /** Every place the pen was at, not only where it was at each frame. */
  private paint(doing: Doing & { what: "stroke" }, event: PointerEvent): void {
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      const [x, y] = this.pair(this.at(one)) as [number, number];
      const [lastX, lastY] = doing.path.slice(-2) as [number, number];
      if (Math.hypot(x - lastX, y - lastY) * this.desk.view.scale >= DENSE) doing.path.push(x, y);
    }
    this.set(doing);
  }

  private pair(at: Point): [number, number] {
    const { x, y } = this.inPhoto(at);
    return [x, y];
  }

  private pinch(id: number, before: Point, at: Point): void {
    const other = [...this.pointers].find(([one]) => one !== id)?.[1];
    if (!other) return;
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    this.desk.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
    this.desk.zoom(apart(at, other) / Math.max(1, apart(before, other)), middle);
  }

  private up(event: PointerEvent): void {
    const doing = this.doing;
    this.pointers.delete(event.pointerId);
    if (this.pointers.size) return;
    if (doing && !this.pinched) this.finish(doing);
    this.set(null); // after it: a stroke that became nothing is wiped away
  }

  private finish(doing: NonNullable<Doing>): void {
    if (doing.what === "press") this.click(doing.from, doing.add);
    if (doing.what === "box") this.session.box(boxBetween(this.inPhoto(doing.from), this.inPhoto(doing.to), this.desk.photo), doing.add);
    if (doing.what === "stroke") this.session.stroke(finished(doing));
  }

  private click(at: Point, add: boolean): void {
    const point = this.inPhoto(at);
    if (isInside(point, this.desk.photo)) this.session.click({ ...point, add });
  }

  private cancel(event: PointerEvent): void {
    this.pointers.delete(event.pointerId);
    this.set(null);
  }

  private left(event: PointerEvent): void {
    if (this.pointers.has(event.pointerId)) return;
    this.pointerSignal[1](null);
    this.session.leave();
  }

  /** Fine pointers only: a finger that hovers is a finger that clicks. */
  private hover(event: PointerEvent, at: Point): void {
    if (event.pointerType !== "mouse" || !this.writable || !isClicking(this.desk.tool)) return;
    if (event.timeStamp - this.lastGuess < EVERY) return;
    this.lastGuess = event.timeStamp;
    const point = this.inPhoto(at);
    const add = (this.desk.tool === "add") !== event.altKey;
    if (isInside(point, this.desk.photo)) void this.session.hover({ ...point, add });
    else this.session.leave();
  }

  /** A wheel zooms, two fingers on a trackpad pan, and their pinch (which browsers send as ctrl and wheel) zooms. */
  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const isWheel = lines > 1 || (event.deltaX === 0 && Math.abs(event.deltaY) >= 50);
    const pinches = event.ctrlKey || event.metaKey;
    if (pinches || isWheel) this.desk.zoom(Math.exp(-event.deltaY * lines * WHEEL * (pinches && !isWheel ? 6 : 1)), this.at(event));
    else this.desk.pan(-event.deltaX, -event.deltaY);
  }
}

function apart(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** Whole tenths of a pixel: what is kept is what was painted. */
function finished({ add, radius, path }: Doing & { what: "stroke" }): Stroke {
  const tenth = (value: number): number => Math.round(value * 10) / 10;
  return { add, radius: tenth(radius), path: path.map(tenth) };
}
