// How the person looks at the photo and what they hold: nothing of it is part of the mask, so undo leaves it alone.
import { createSignal } from "solid-js";
import { clamp, fit, panBy, type Point, type Size, toPhoto, type View, zoomAt } from "../logic/geometry";
import { LOOKS, type Look, type Tool } from "./tools";

const LEAST = 2; // stage pixels of a brush's radius
const MOST = 160;

export class Desk {
  private readonly signals = signals();

  constructor(readonly photo: Size) {}

  get view(): View {
    return this.signals.view();
  }
  get stage(): Size {
    return this.signals.stage();
  }
  get tool(): Tool {
    return this.signals.tool();
  }
  get look(): Look {
    return this.signals.look();
  }
  /** The brush's radius on the stage: what one sees stays as large however close one is. */
  get radius(): number {
    return this.signals.radius();
  }
  /** The keyboard's place on the photo; ``null`` while nobody uses it. */
  get cursor(): Point | null {
    return this.signals.cursor();
  }
  get radiusInPhoto(): number {
    return this.radius / this.view.scale;
  }

  take(tool: Tool): void {
    this.signals.setTool(tool);
  }
  see(look: Look): void {
    this.signals.setLook(look);
  }
  seeNext(): void {
    this.see(LOOKS[(LOOKS.indexOf(this.look) + 1) % LOOKS.length]!);
  }
  size(radius: number): void {
    this.signals.setRadius(clamp(Math.round(radius), LEAST, MOST));
  }

  /** The stage has another size: what was fitted stays fitted. */
  resize(stage: Size): void {
    const fitted = this.signals.fitted();
    this.signals.setStage(stage);
    this.signals.setView((view) => (fitted ? fit(this.photo, stage) : panBy(view, 0, 0, this.photo, stage)));
  }
  whole(): void {
    this.signals.setFitted(true);
    this.signals.setView(fit(this.photo, this.stage));
  }
  zoom(factor: number, at: Point = { x: this.stage.width / 2, y: this.stage.height / 2 }): void {
    this.signals.setFitted(false);
    this.signals.setView((view) => zoomAt(view, at, factor, this.photo, this.stage));
  }
  pan(dx: number, dy: number): void {
    this.signals.setFitted(false);
    this.signals.setView((view) => panBy(view, dx, dy, this.photo, this.stage));
  }

  /** Move the keyboard's place by stage pixels; the photo follows when it would leave the stage. */
  move(dx: number, dy: number): void {
    const middle = toPhoto(this.view, { x: this.stage.width / 2, y: this.stage.height / 2 });
    const from = this.cursor ?? middle;
    const { scale } = this.view;
    const to = { x: clamp(from.x + dx / scale, 0, this.photo.width), y: clamp(from.y + dy / scale, 0, this.photo.height) };
    this.signals.setCursor(to);
    const { x, y } = this.view;
    const seen = { x: to.x * scale + x, y: to.y * scale + y };
    const edge = 24;
    const over = (at: number, end: number): number => (at < edge ? edge - at : at > end - edge ? end - edge - at : 0);
    const [mx, my] = [over(seen.x, this.stage.width), over(seen.y, this.stage.height)];
    if (mx || my) this.pan(mx, my);
  }
  leaveCursor(): void {
    this.signals.setCursor(null);
  }
}

function signals() {
  const [view, setView] = createSignal<View>({ scale: 1, x: 0, y: 0 });
  const [stage, setStage] = createSignal<Size>({ width: 1, height: 1 });
  const [tool, setTool] = createSignal<Tool>("add");
  const [look, setLook] = createSignal<Look>("marked");
  const [radius, setRadius] = createSignal(18);
  const [cursor, setCursor] = createSignal<Point | null>(null);
  const [fitted, setFitted] = createSignal(true);
  return { view, setView, stage, setStage, tool, setTool, look, setLook, radius, setRadius, cursor, setCursor, fitted, setFitted };
}
