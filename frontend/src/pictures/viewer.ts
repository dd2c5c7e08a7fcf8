// One picture at full size: one pixel of it is one of the screen's, moved by dragging, by scrolling and by the arrow keys.

export class Viewer {
  private from: { x: number; y: number; left: number; top: number } | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly stage: HTMLElement,
    private readonly button: HTMLButtonElement,
  ) {
    button.hidden = false;
    button.addEventListener("click", () => this.zoom(!this.zoomed, null));
    stage.addEventListener("dblclick", (event) => this.zoom(!this.zoomed, event));
    stage.addEventListener("pointerdown", (event) => this.grab(event));
    stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => (this.from = null));
  }

  private get zoomed(): boolean {
    return this.root.classList.contains("zoomed");
  }

  /** The point that was clicked twice stays under the pointer; without one, the middle is shown. */
  private zoom(on: boolean, at: MouseEvent | null): void {
    const box = this.stage.getBoundingClientRect();
    const share = at ? { x: (at.clientX - box.left) / box.width, y: (at.clientY - box.top) / box.height } : { x: 0.5, y: 0.5 };
    this.stage.style.setProperty("--tall", `${Math.round(box.height)}px`);
    this.stage.style.setProperty("--full", `${Number(this.root.dataset.width) / devicePixelRatio}px`);
    this.root.classList.toggle("zoomed", on);
    this.button.setAttribute("aria-pressed", String(on));
    if (on) this.stage.tabIndex = 0;
    else this.stage.removeAttribute("tabindex");
    this.stage.scrollLeft = share.x * this.stage.scrollWidth - (at ? at.clientX - box.left : box.width / 2);
    this.stage.scrollTop = share.y * this.stage.scrollHeight - (at ? at.clientY - box.top : box.height / 2);
  }

  private grab(event: PointerEvent): void {
    if (!this.zoomed || event.pointerType !== "mouse" || event.button !== 0) return; // a finger scrolls by itself
    this.from = { x: event.clientX, y: event.clientY, left: this.stage.scrollLeft, top: this.stage.scrollTop };
    this.stage.setPointerCapture(event.pointerId);
  }

  private drag(event: PointerEvent): void {
    if (!this.from) return;
    this.stage.scrollLeft = this.from.left - (event.clientX - this.from.x);
    this.stage.scrollTop = this.from.top - (event.clientY - this.from.y);
  }
}

export function mountViewer(root: HTMLElement): void {
  const stage = root.querySelector<HTMLElement>("[data-stage]");
  const button = root.querySelector<HTMLButtonElement>("button[data-zoom]");
  if (stage && button) new Viewer(root, stage, button);
}
