// The keyboard: joints are buttons, and what is pressed on one goes to it.
import type { Editing } from "./editing";
import type { Point } from "./logic/figure";
import { panned, zoomed, type Size, type View } from "./logic/view";

export interface Looking {
  readonly view: () => View | null;
  readonly setView: (view: View) => void;
  readonly stage: () => Size;
  /** All of it, as large as it goes. */
  readonly whole: () => View;
}

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
};
const FAR = 10;
export const CLOSER = 1.25;

export function keysOf(editing: Editing, looking: Looking): (event: KeyboardEvent) => void {
  return (event) => {
    const target = event.target as HTMLElement;
    if (target.closest("input, select, textarea")) return;
    const done = withControl(event, editing) || onJoint(event, target, editing, looking) || anywhere(event, editing, looking);
    if (done) event.preventDefault();
  };
}

function withControl(event: KeyboardEvent, editing: Editing): boolean {
  if (!(event.ctrlKey || event.metaKey)) return false;
  const key = event.key.toLowerCase();
  if (key === "z" && !event.shiftKey) editing.undo();
  else if (key === "y" || key === "z") editing.redo();
  else return false;
  return true;
}

function onJoint(event: KeyboardEvent, target: HTMLElement, editing: Editing, looking: Looking): boolean {
  const joint = Number(target.dataset.joint ?? NaN);
  if (!Number.isInteger(joint) || event.ctrlKey || event.metaKey || event.altKey) return false;
  const way = ARROWS[event.key];
  if (way) nudge(editing, looking, joint, way, event.shiftKey);
  else if (event.key === "Delete" || event.key === "Backspace") editing.leaveOut(joint);
  else return false;
  return true;
}

/** One pixel of the screen, and never less than one of the photo. */
export function nudge(editing: Editing, looking: Pick<Looking, "view">, joint: number, way: Point, far: boolean): void {
  const step = Math.max(1, 1 / (looking.view()?.scale ?? 1)) * (far ? FAR : 1);
  editing.move(joint, { x: way.x * step, y: way.y * step }, `nudge-${joint}`);
}

function anywhere(event: KeyboardEvent, editing: Editing, looking: Looking): boolean {
  const { view, setView, stage, whole } = looking;
  const now = view();
  if (!now || event.ctrlKey || event.metaKey || event.altKey) return false;
  const middle = { x: stage().width / 2, y: stage().height / 2 };
  const onStage = (event.target as HTMLElement).classList.contains("sk-stage");
  const way = onStage ? ARROWS[event.key] : undefined;
  if (way) setView(panned(now, { x: -40 * way.x, y: -40 * way.y }));
  else if (event.key === "+" || event.key === "=") setView(zoomed(now, CLOSER, middle, whole()));
  else if (event.key === "-") setView(zoomed(now, 1 / CLOSER, middle, whole()));
  else if (event.key === "0") setView(whole());
  else if (event.key === "m") editing.mirror();
  else if (event.key === "Escape") editing.select(null);
  else return false;
  return true;
}
