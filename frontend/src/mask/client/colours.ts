// Layers come from the worker as ink; here they get the page's colours, and again when the theme changes.
import { createSignal, onCleanup } from "solid-js";
import type { Doing } from "./gestures";

type Fill = string | CanvasPattern;

const [theme, setTheme] = createSignal(0);
/** Read in an effect, it runs again when light becomes dark. */
export { theme };

/** Listen as long as the editor is there. */
export function followTheme(): void {
  const changed = (): void => void setTheme((count) => count + 1);
  const system = matchMedia("(prefers-color-scheme: dark)");
  const choice = new MutationObserver(changed);
  system.addEventListener("change", changed);
  choice.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  onCleanup(() => {
    system.removeEventListener("change", changed);
    choice.disconnect();
  });
}

export function colour(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim() || "#888";
}

const CHECK = 12; // pixels of the working grid

/** What is see-through stands on squares. */
export function checker(canvas: HTMLCanvasElement): Fill {
  const tile = document.createElement("canvas");
  tile.width = tile.height = CHECK * 2;
  const context = tile.getContext("2d")!;
  context.fillStyle = colour(canvas, "--check-a");
  context.fillRect(0, 0, CHECK * 2, CHECK * 2);
  context.fillStyle = colour(canvas, "--check-b");
  context.fillRect(0, 0, CHECK, CHECK);
  context.fillRect(CHECK, CHECK, CHECK, CHECK);
  return canvas.getContext("2d")!.createPattern(tile, "repeat")!;
}

export function paintInk(canvas: HTMLCanvasElement, ink: Uint8ClampedArray<ArrayBuffer>, fill: Fill): void {
  const context = canvas.getContext("2d")!;
  if (ink.length !== canvas.width * canvas.height * 4) return clear(canvas);
  context.putImageData(new ImageData(ink, canvas.width), 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = fill;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-over";
}

export function clear(canvas: HTMLCanvasElement): void {
  canvas.getContext("2d")!.clearRect(0, 0, canvas.width, canvas.height);
}

/** A stroke while it is drawn: a sketch of what the worker will make of it. */
export function paintStroke(canvas: HTMLCanvasElement, doing: Doing & { what: "stroke" }, scale: number): void {
  const context = canvas.getContext("2d")!;
  const { path, radius, add } = doing;
  clear(canvas);
  context.strokeStyle = colour(canvas, add ? "--accent" : "--bad");
  context.lineWidth = radius * scale * 2;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(path[0]! * scale, path[1]! * scale);
  for (let at = 0; at < path.length; at += 2) context.lineTo(path[at]! * scale, path[at + 1]! * scale);
  context.stroke();
}
