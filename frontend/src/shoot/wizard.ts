// The Shoot page: what is chosen is sketched at once, another photo comes without a new page, and on a phone the three
// columns are three steps. Without this the page is a plain form with a button "Show this photo".
import { ApiError, getJson, send } from "../shared/api";
import { toast } from "../shared/dom";
import { Sketch } from "./sketch";

const ASK_AGAIN = 2000; // ms, while the photo is still being looked at
const KEPT = ["kind", "photo", "part", "persona", "scene", "pose", "crop", "outfit", "count", "best_of"];

export class Wizard {
  private readonly sketch: Sketch | null;
  private readonly figure: HTMLElement | null;
  private swaps = 0;
  private looking = 0;

  constructor(private readonly form: HTMLFormElement) {
    this.figure = form.querySelector<HTMLElement>("[data-sketch]");
    const canvas = this.figure?.querySelector("canvas");
    this.sketch = canvas ? new Sketch(canvas) : null;
    form.dataset.ready = "";
    form.addEventListener("change", (event) => this.changed(event));
    form.addEventListener("click", (event) => this.clicked(event));
    form.addEventListener("submit", (event) => this.submitted(event));
    addEventListener("popstate", () => void this.swap(location.href));
    addEventListener("pageshow", () => form.querySelector("[data-make]")?.removeAttribute("aria-busy"));
    if (this.figure) this.figure.hidden = false;
    this.step(1, false);
    this.say();
    this.look();
  }

  private changed(event: Event): void {
    const { target } = event;
    if (target instanceof HTMLInputElement && target.name === "photo") void this.another();
    else this.say();
  }

  private submitted(event: SubmitEvent): void {
    const button = event.submitter;
    if (button?.hasAttribute("data-make")) button.setAttribute("aria-busy", "true");
  }

  // ---- another photo
  private async another(): Promise<void> {
    const address = this.address();
    if (await this.swap(address)) history.pushState(null, "", address);
  }

  /** The page's own address for what is chosen now. */
  private address(): string {
    const chosen = new FormData(this.form);
    const query = new URLSearchParams();
    for (const name of KEPT) {
      const value = chosen.get(name);
      if (typeof value === "string" && value) query.set(name, value);
    }
    return `${location.pathname}?${query}`;
  }

  /** The photo's column as the server draws it for that address; whether it came. The newest wish wins. */
  private async swap(address: string): Promise<boolean> {
    clearTimeout(this.looking);
    this.swaps += 1;
    const turn = this.swaps;
    const column = this.column();
    column?.setAttribute("aria-busy", "true");
    try {
      const text = await (await send(null, address, { headers: { Accept: "text/html" } })).text();
      if (turn !== this.swaps) return false;
      const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-step='1']");
      if (!column || !fresh) throw new Error("the page has no photo");
      const focused = document.activeElement instanceof HTMLInputElement && document.activeElement.name === "photo";
      column.replaceChildren(...document.adoptNode(fresh).childNodes);
      if (focused) column.querySelector<HTMLInputElement>("input[name=photo]:checked")?.focus();
    } catch (error) {
      if (turn === this.swaps) this.lost(error, address);
      return false;
    } finally {
      if (turn === this.swaps) column?.removeAttribute("aria-busy");
    }
    this.say();
    this.look();
    return true;
  }

  /** Without a connection another page would only lose what is chosen; a page that has no such column is another one. */
  private lost(error: unknown, address: string): void {
    const onTheWay = error instanceof ApiError && (error.code === "offline" || error.retryable);
    if (onTheWay) toast(this.form.dataset.sayLost ?? "", "bad");
    else location.assign(address);
  }

  private column(): HTMLElement | null {
    return this.form.querySelector<HTMLElement>("[data-step='1']");
  }

  /** Until the garment was found: then its mask is shown. */
  private look(): void {
    clearTimeout(this.looking);
    const place = this.form.querySelector<HTMLElement>("[data-look]");
    if (!place) return;
    const turn = this.swaps;
    this.looking = window.setTimeout(async () => {
      const told = await getJson<{ done: boolean }>(null, place.dataset.look ?? "").catch(() => null);
      if (turn !== this.swaps) return; // another photo is on its way: its column looks for itself
      if (told?.done) await this.swap(this.address());
      else this.look();
    }, ASK_AGAIN);
  }

  // ---- what is chosen
  private say(): void {
    this.button();
    this.summary();
    const crop = this.value("crop");
    void this.sketch?.show({
      kind: this.value("kind"),
      photo: this.source(".layers > img:not(.layer)"),
      mask: this.source(`.layer.mask.part-${CSS.escape(this.value("part"))}`) || this.source(".layer.mask.part-auto"),
      skeleton: this.value("pose") || !this.switched("pose") ? "" : this.source(".layer.pose"),
      scene: this.card("scene"),
      persona: this.value("kind") === "scene" ? "" : this.card("persona"),
      pose: this.value("pose") ? this.card("pose") : "",
      crop,
    });
  }

  private button(): void {
    const words = this.form.querySelector("[data-make-words]");
    const count = this.value("count");
    const { makeOne = "", makeMany = "" } = this.form.dataset;
    if (words && makeOne) words.textContent = count === "1" ? makeOne : makeMany.replace("%s", count);
  }

  private summary(): void {
    const place = this.figure?.querySelector("[data-summary]");
    const names = ["persona", "scene", "pose", "crop"].filter((name) => !(name === "persona" && this.value("kind") === "scene"));
    if (place) place.textContent = names.map((name) => this.label(name)).filter(Boolean).join(" · ");
  }

  private value(name: string): string {
    const value = new FormData(this.form).get(name);
    return typeof value === "string" ? value : "";
  }

  private switched(layer: string): boolean {
    return this.form.querySelector<HTMLInputElement>(`.layer-switch[value="${layer}"]`)?.checked ?? false;
  }

  private checked(name: string): Element | null {
    return this.form.querySelector(`input[name="${name}"]:checked`)?.closest("label") ?? null;
  }

  private card(name: string): string {
    return this.checked(name)?.querySelector("img")?.getAttribute("src") ?? "";
  }

  private label(name: string): string {
    return this.checked(name)?.querySelector(".choice-name")?.textContent?.trim() ?? "";
  }

  private source(selector: string): string {
    return this.form.querySelector<HTMLImageElement>(selector)?.getAttribute("src") ?? "";
  }

  // ---- steps on a phone
  private clicked(event: MouseEvent): void {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>("button[data-go]") : null;
    if (button) this.step(Number(this.form.dataset.now) + Number(button.dataset.go), true);
  }

  private step(wanted: number, moved: boolean): void {
    const steps = [...this.form.querySelectorAll<HTMLElement>("[data-step]")];
    const now = Math.max(1, Math.min(steps.length, wanted));
    this.form.dataset.now = String(now);
    for (const step of steps) step.classList.toggle("now", step.dataset.step === String(now));
    for (const place of this.form.querySelectorAll<HTMLElement>("[data-stepper] > li")) {
      if (place.dataset.of === String(now)) place.setAttribute("aria-current", "step");
      else place.removeAttribute("aria-current");
    }
    for (const button of this.form.querySelectorAll<HTMLButtonElement>("button[data-go]")) {
      button.disabled = now + Number(button.dataset.go) < 1 || now + Number(button.dataset.go) > steps.length;
    }
    if (!moved) return;
    scrollTo({ top: 0, behavior: "instant" });
    this.form.querySelector<HTMLElement>(`[data-step="${now}"] h2`)?.focus({ preventScroll: true });
  }
}
