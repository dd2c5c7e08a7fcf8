// One photo being edited: what was done, what it looks like, and everything one can do to it.
import { createSignal } from "solid-js";
import { begin, type History, push, redo, undo } from "../logic/history";
import { type Box, inside, type Point, type Size, workingSize } from "../logic/geometry";
import { clickedPart, type Edits, type Finish, freshId, landing, newPart, NOTHING, type Part, sameMask, selectedPart, type Stroke, withFinish, withoutPart, withPart, withStroke } from "../logic/model";
import { chooseAnswer, type Decoded, isAmbiguous, type Prompt } from "../logic/prompts";
import type { Shown } from "../worker/protocol";
import type { Decoder } from "./decoder";
import type { Raster } from "./raster";
import { noted } from "./timing";

export interface Pointing extends Point {
  readonly add: boolean;
}

/** What happened, for the live region and the draft; never words. */
export type Happening = "marked" | "removed" | "painted" | "undone" | "redone" | "finished" | "candidate" | "deleted" | "hidden" | "nothing";

const HOVER_LIMIT = 250; // ms a guess may take before guessing stops

export class Session {
  readonly working: Size;
  private readonly signals = signals();
  private decoder: Decoder | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private planes = 0;
  private asked: number | null = null;
  private left = 0; // how often the pointer went elsewhere
  private drawn: Edits = NOTHING;
  /** The last guess: a click where the pointer rests has been answered before it was made. */
  private guessed: { readonly question: string; readonly decoded: Decoded } | null = null;

  constructor(
    readonly photo: Size,
    private readonly raster: Raster,
    private readonly happened: (what: Happening) => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.working = workingSize(photo);
  }

  get history(): History<Edits> {
    return this.signals.history();
  }
  get edits(): Edits {
    return this.history.present;
  }
  get shown(): Shown | null {
    return this.signals.shown();
  }
  /** Whether what is shown is all that was done; while a slider moves it lags behind. */
  get isDrawn(): boolean {
    return sameMask(this.drawn, this.edits);
  }
  /** What a click here would take, as pixels of the working grid. */
  get guess(): { pixels: Uint8ClampedArray<ArrayBuffer>; add: boolean } | null {
    return this.signals.guess();
  }
  /** A click that waits for its answer. */
  get pending(): Pointing | null {
    return this.signals.pending();
  }
  /** Milliseconds of the last answer. */
  get pace(): number | null {
    return this.signals.pace();
  }

  use(decoder: Decoder): void {
    this.decoder = decoder;
  }

  /** Begin from what was there before: no step that could be undone. */
  begin(edits: Edits): void {
    this.signals.setHistory(begin(edits));
    this.draw();
  }

  /** Another part is clicked on from now on; ``null``: the next click begins one. */
  select(id: string | null): void {
    const history = this.history;
    this.signals.setHistory({ ...history, present: { ...history.present, selected: id }, kind: null });
    this.leave();
  }

  /** One click: it adds to the garment or takes from it. */
  click(at: Pointing): void {
    this.leave();
    this.signals.setPending(at);
    this.asked = performance.now();
    this.inTurn(() => this.answerTo((edits) => clickOn(edits, { ...at, ...inside(at, this.photo) }), at.add ? "marked" : "removed"));
  }

  box(box: Box, add: boolean): void {
    this.leave();
    this.inTurn(() => this.answerTo((edits) => newPart(freshId(edits), { box, adds: add }), add ? "marked" : "removed"));
  }

  /** What a click would take; nothing when the decoder is too slow for that. */
  async hover(at: Pointing): Promise<void> {
    const part = this.decoder && this.decoder.rung.where === "device" && (this.pace ?? 0) < HOVER_LIMIT ? clickOn(this.edits, at) : null;
    if (!part || !this.decoder || this.pending) return this.leave();
    try {
      const prompt = await this.prompt(part);
      const decoded = await this.decoder.box.maybe(prompt);
      if (!decoded || this.pending) return;
      this.timed(decoded);
      this.guessed = { question: questionOf(part), decoded };
      const { plane } = chooseAnswer(decoded, isAmbiguous(prompt), "guess");
      const { left } = this;
      const pixels = await this.raster.preview({ ...part, candidates: null, plane });
      if (left === this.left) this.signals.setGuess({ pixels, add: at.add });
    } catch {
      this.leave(); // a guess that failed is no guess; the click will say what is wrong
    }
  }

  /** The pointer is elsewhere. */
  leave(): void {
    this.left += 1;
    this.decoder?.box.dropGuess();
    this.signals.setGuess(null);
  }

  stroke(stroke: Stroke): void {
    this.commit(withStroke(this.edits, stroke), "painted");
  }

  /** One of the three answers to a first click. */
  choose(chosen: number): void {
    const part = selectedPart(this.edits);
    const plane = part?.candidates?.planes[chosen];
    if (!part?.candidates || !plane) return;
    this.commit(withPart(this.edits, { ...part, plane, candidates: { ...part.candidates, chosen } }), "candidate");
  }

  /** A finished mask as a part of its own, in place of another that began from one. */
  propose(name: string): void {
    const old = this.edits.parts.find((part) => part.proposal !== null);
    this.commit(withPart(this.edits, newPart(old?.id ?? freshId(this.edits), { proposal: name })), "candidate");
  }

  change(part: Part, change: Partial<Pick<Part, "shown" | "adds">>): void {
    this.commit(withPart(this.edits, { ...part, ...change }), "hidden");
  }

  remove(id: string): void {
    this.commit(withoutPart(this.edits, id), "deleted");
  }

  /** Everything away; undo brings it back. */
  clear(): void {
    this.commit({ ...NOTHING, finish: this.edits.finish }, "deleted");
  }

  finish(change: Partial<Finish>): void {
    this.commit(withFinish(this.edits, change), "finished", `finish:${Object.keys(change).join()}`);
  }

  undo(): void {
    this.go(undo(this.history), "undone");
  }
  redo(): void {
    this.go(redo(this.history), "redone");
  }

  private go(history: History<Edits>, what: Happening): void {
    if (history === this.history) return;
    this.leave();
    this.signals.setHistory(history);
    this.draw(what);
  }

  private commit(edits: Edits, what: Happening, kind: string | null = null): void {
    this.go(push(this.history, edits, kind), what);
  }

  /** Clicks that come faster than answers wait for one another: each refines what the one before gave. */
  private inTurn(work: () => Promise<void>): void {
    this.queue = this.queue.then(work).catch((error: unknown) => {
      this.signals.setPending(null);
      this.failed(error);
    });
  }

  private async answerTo(asked: (edits: Edits) => Part | null, what: Happening): Promise<void> {
    const before = this.edits;
    const part = asked(before);
    if (!part || !this.decoder) {
      this.signals.setPending(null);
      return this.happened("nothing");
    }
    const prompt = await this.prompt(part);
    const decoded = await this.decoded(part, prompt, this.decoder);
    this.planes += 1;
    const answer = chooseAnswer(decoded, isAmbiguous(prompt), `a${this.planes}`);
    this.signals.setPending(null);
    const landed = landing(this.edits, before, part); // painted, undone and deleted is also while an answer is awaited
    if (landed) this.commit(withPart(this.edits, { ...landed, ...answer }), what);
    else this.asked = null;
  }

  private async decoded(part: Part, prompt: Prompt, decoder: Decoder): Promise<Decoded> {
    if (this.guessed?.question === questionOf(part)) return this.guessed.decoded;
    const decoded = await decoder.box.click(prompt);
    this.timed(decoded);
    return decoded;
  }

  /** The last answer is fed back, and what a part was begun from counts as one. */
  private async prompt(part: Part): Promise<Prompt> {
    const mask = part.plane?.logits ?? (part.proposal === null ? null : await this.raster.logits(part));
    return { clicks: part.clicks, box: part.box, mask };
  }

  private timed(decoded: object): void {
    const took: unknown = Reflect.get(decoded, "milliseconds");
    if (typeof took !== "number") return;
    this.signals.setPace(took);
    noted("decode", took);
  }

  private draw(what: Happening | null = null): void {
    const { edits } = this;
    this.raster.compose(edits).then((shown) => {
      if (!shown) return;
      this.drawn = edits;
      this.signals.setShown(shown);
      if (!this.isDrawn) return; // a step on the way; the last one is told
      if (this.asked !== null && this.pending === null) {
        noted("click", performance.now() - this.asked);
        this.asked = null;
      }
      if (what) this.happened(what);
    }, this.failed);
  }
}

/** The part that a click makes or changes, before its answer. ``null``: there is nothing to take from. */
export function clickOn(edits: Edits, at: Pointing): Part | null {
  const part = clickedPart(edits);
  if (part) return { ...part, clicks: [...part.clicks, { x: at.x, y: at.y, add: at.add === part.adds }] };
  if (!at.add && edits.parts.length === 0) return null;
  return newPart(freshId(edits), { adds: at.add, clicks: [{ x: at.x, y: at.y, add: true }] });
}

/** What the decoder would be asked for a part: the same text, the same answer. */
function questionOf(part: Part): string {
  return JSON.stringify([part.clicks, part.box, part.plane?.id, part.proposal]);
}

function signals() {
  const [history, setHistory] = createSignal<History<Edits>>(begin(NOTHING));
  const [shown, setShown] = createSignal<Shown | null>(null);
  const [guess, setGuess] = createSignal<{ pixels: Uint8ClampedArray<ArrayBuffer>; add: boolean } | null>(null);
  const [pending, setPending] = createSignal<Pointing | null>(null);
  const [pace, setPace] = createSignal<number | null>(null);
  return { history, setHistory, shown, setShown, guess, setGuess, pending, setPending, pace, setPace };
}
