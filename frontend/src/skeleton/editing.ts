// The editor's state, and all that can be done to it; the components only show it and call it.
import { batch, createMemo, createSignal } from "solid-js";
import { ApiError } from "../shared/api";
import { toast } from "../shared/dom";
import { fill, type Words } from "../shared/words";
import * as client from "./client";
import type { Pose, State } from "./client";
import { isSame, mirrored, moved, restored, sameFigure, taken, withJoint, withoutJoint } from "./logic/edit";
import { at, figureOf, isDrawn, LANDMARKS, MAIN, type Figure, type Joint, type JointState, type Point } from "./logic/figure";
import { begun, type History, redone, sealed, stepped, undone } from "./logic/history";

export type Editing = ReturnType<typeof editing>;
export type Say = (key: string) => string;

/** The word under a key; readWords gives the key itself for one that is missing. */
export function sayer(words: Words): Say {
  return (key) => words[key] ?? key;
}

const ALL: readonly number[] = Array.from({ length: LANDMARKS }, (_, index) => index);

export function editing(first: State, say: Say) {
  const [state, setState] = createSignal(first);
  const [history, setHistory] = createSignal(begun(figureOf(first.rows)));
  const [selected, setSelected] = createSignal<number | null>(null);
  const [limb, setLimb] = createSignal(false);
  const [all, setAll] = createSignal(false);
  const [busy, setBusy] = createSignal(false);
  const [conflict, setConflict] = createSignal<Figure | null>(null);
  const [poses, setPoses] = createSignal<readonly Pose[]>(first.poses);

  const figure = () => history().now;
  const start = createMemo(() => figureOf(state().start));
  const saved = createMemo(() => figureOf(state().rows));
  const dirty = createMemo(() => !sameFigure(figure(), saved()));
  const asSeen = createMemo(() => sameFigure(figure(), start()));
  const canWrite = () => state().can_write;

  /** Nothing happens to a figure that one may only look at, or while the server is asked: its answer is about this one. */
  const change = (next: (now: History<Figure>) => History<Figure>) => {
    if (canWrite() && !busy()) setHistory(next);
  };
  const step = (next: Figure, tag = "") => change((now) => stepped(now, next, tag));
  /** What is saved now, as the server rounded and named it; nothing was changed meanwhile. No step to be undone. */
  const fresh = (next: State) =>
    batch(() => {
      setState(next);
      setHistory((now) => ({ ...now, now: figureOf(next.rows) }));
    });
  /** One request at a time; what the server refuses is said in its own words. */
  const asking = async (ask: () => Promise<void>) => {
    if (busy() || !canWrite()) return;
    setBusy(true);
    try {
      await ask();
    } catch (error) {
      toast(sayOf(error, say), "bad");
    } finally {
      setBusy(false);
    }
  };

  return {
    say, state, figure, start, selected, limb, all, busy, poses, dirty, asSeen, canWrite,
    /** A figure that was left here, made over another saved pose than the one that counts now. */
    conflict, setConflict,
    setLimb, setAll,
    select: setSelected,
    handles: () => (all() ? ALL : MAIN),
    canUndo: () => history().past.length > 0,
    canRedo: () => history().future.length > 0,
    undo: () => change(undone),
    redo: () => change(redone),
    seal: () => setHistory(sealed),
    /** As if the drag had never begun. */
    cancelDrag: (tag: string) => setHistory((now) => (now.tag === tag ? { ...undone(now), future: [] } : now)),
    /** Moves with one `tag` in a row are undone as one. */
    move: (joint: number, by: Point, tag: string) => step(moved(figure(), joint, by, limb()), tag),
    mirror: () => step(mirrored(figure())),
    leaveOut: (joint: number) => step(withoutJoint(figure(), joint)),
    putBack: (joint: number) => step(withJoint(figure(), joint, start())),
    restore: (joint: number) => step(restored(figure(), joint, start())),
    back: () => step(start()),
    takeUp: (left: Figure) => step(left),
    isMoved: (joint: number) => !isSame(at(figure(), joint), at(start(), joint)),
    /** What is as it was seen is no edit: the row goes, and what is seen later counts. */
    save: () =>
      asking(async () => {
        if (asSeen()) {
          fresh(await client.reset(state()));
          toast(say("was-reset"), "good");
        } else {
          fresh(await client.save(state(), figure()));
          toast(say("saved"), "good");
        }
      }),
    take: (pose: string, mirror: boolean, keepTrunk: boolean) =>
      asking(async () => {
        const placed = await client.place(state(), figure(), { pose, mirror, keepTrunk });
        setHistory((now) => stepped(now, taken(now.now, placed)));
      }),
    keep: (title: string) =>
      asking(async () => {
        const pose = await client.keep(state(), figure(), title);
        setPoses((known) => [pose, ...known]);
        toast(say("kept"), "good");
      }),
  };
}

/** What a joint is called, and how well it is known. */
export function sayJoint(say: Say, index: number, joint: Joint): string {
  const values = { joint: say(`joint-${index}`), state: say(stateOf(joint)), percent: percentOf(joint) };
  return fill(isSure(joint) ? say("label") : say("label-sure"), values);
}

export function stateOf(joint: Joint): JointState | "out" {
  return isDrawn(joint) ? joint.state : "out";
}

/** As the page's language writes it. */
export function percentOf(joint: Joint): string {
  return new Intl.NumberFormat(document.documentElement.lang || "en", { style: "percent" }).format(joint.sure);
}

/** Nobody wants to hear how sure we are of what was seen. */
export function isSure(joint: Joint): boolean {
  return !isDrawn(joint) || joint.state === "seen" || joint.state === "placed";
}

function sayOf(error: unknown, say: Say): string {
  if (!(error instanceof ApiError)) throw error;
  if (error.code === "offline") return say("offline");
  return error.code === "unreadable" ? say("failed") : error.message;
}
