// Small things every island needs from the page around it.

/** Mount points of a room: `<div data-island="mask" ...>`. */
export function islands(room: string, root: ParentNode = document): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(`[data-island="${room}"]`)];
}

/** Run once the page's elements are there. Module scripts already run then; tests and early imports may not. */
export function whenReady(run: () => void): void {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", run, { once: true });
  else run();
}

export type Tone = "good" | "warn" | "bad" | "";

/** A button in a toast: what can be taken back. */
export interface ToastAction {
  readonly label: string;
  readonly run: () => void;
}

/** A toast on the page's shelf; plain/js/toast.js listens and shows it. */
export function toast(words: string, tone: Tone = "", action?: ToastAction): void {
  document.dispatchEvent(new CustomEvent("imodel:toast", { detail: { words, tone, action } }));
}
