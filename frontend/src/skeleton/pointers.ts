// Mouse, pen and fingers on the stage: one on a joint drags it, one beside them all moves the view, two pinch.
import type { StageProps } from "./Stage";
import type { Point } from "./logic/figure";
import { nearest, panned, pinched, zoomed } from "./logic/view";

type Doing = { kind: "drag"; joint: number; tag: string } | { kind: "pan" } | { kind: "pinch" } | null;

/** CSS pixels within which a joint is meant. */
const REACH: Readonly<Record<string, number>> = { mouse: 16, pen: 18, touch: 30 };
const WHEEL = 0.0022;

/** Listens until the function that comes back is called. */
export function followPointers(stage: HTMLElement, props: StageProps): () => void {
  const fingers = new Map<number, Point>();
  const stop = new AbortController();
  let doing: Doing = null;
  let drags = 0;

  const place = (event: MouseEvent): Point => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const down = (event: PointerEvent) => {
    const view = props.view();
    if (!view || (event.pointerType === "mouse" && event.button > 1)) return;
    fingers.set(event.pointerId, place(event));
    stage.setPointerCapture(event.pointerId);
    if (fingers.size === 2) return pinch();
    const reach = REACH[event.pointerType] ?? 16;
    const joint = event.button === 1 ? null : nearest(view, props.editing.figure(), props.editing.handles(), place(event), reach);
    doing = joint === null ? { kind: "pan" } : { kind: "drag", joint, tag: `drag-${++drags}` };
    props.editing.select(joint);
    // The browser would focus whatever button lies on top, which need not be the nearest.
    event.preventDefault();
    const button = joint === null ? stage : stage.querySelector<HTMLElement>(`[data-joint="${joint}"]`);
    button?.focus({ preventScroll: true });
  };

  /** A second finger means that the first one was no drag. */
  const pinch = () => {
    if (doing?.kind === "drag") props.editing.cancelDrag(doing.tag);
    doing = { kind: "pinch" };
  };

  const move = (event: PointerEvent) => {
    const before = fingers.get(event.pointerId);
    const view = props.view();
    if (!before || !view || !doing) return;
    const after = place(event);
    const by = { x: after.x - before.x, y: after.y - before.y };
    if (doing.kind === "drag") props.editing.move(doing.joint, { x: by.x / view.scale, y: by.y / view.scale }, doing.tag);
    else if (doing.kind === "pan") props.setView(panned(view, by));
    else {
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) props.setView(pinched(view, [before, other], [after, other], props.whole()));
    }
    fingers.set(event.pointerId, after);
  };

  const up = (event: PointerEvent) => {
    fingers.delete(event.pointerId);
    if (doing?.kind === "drag") props.editing.seal();
    doing = fingers.size === 1 ? { kind: "pan" } : null;
  };

  /** The wheel alone scrolls the page; with Control, as a touchpad's pinch sends it, it zooms. */
  const wheel = (event: WheelEvent) => {
    const view = props.view();
    if (!view || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    props.setView(zoomed(view, Math.exp(-event.deltaY * WHEEL), place(event), props.whole()));
  };

  const { signal } = stop;
  stage.addEventListener("pointerdown", down, { signal });
  stage.addEventListener("pointermove", move, { signal });
  stage.addEventListener("pointerup", up, { signal });
  stage.addEventListener("pointercancel", up, { signal });
  stage.addEventListener("wheel", wheel, { signal, passive: false });
  return () => stop.abort();
}
