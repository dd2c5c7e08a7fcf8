// Joints that were moved and not saved, kept on this device in the owner's database: they outlive a reload and a lost connection.
import { createEffect, on } from "solid-js";
import { drafts } from "../shared/db";
import { toast } from "../shared/dom";
import { owner } from "../shared/owner";
import type { Editing } from "./editing";
import type { Figure } from "./logic/figure";

interface Draft {
  readonly figure: Figure;
  /** The saved version that was changed; with another one there meanwhile, the person says which counts. */
  readonly base: string;
}

/** Take up what was left here. */
export async function takeUpDraft(editing: Editing): Promise<void> {
  const mine = owner();
  const left = mine && (await drafts.get<Draft>(mine, keyOf(editing)).catch(() => null));
  if (!left) return;
  if (left.base !== editing.state().version) return void editing.setConflict(left.figure);
  editing.takeUp(left.figure);
  toast(editing.say("restored"));
}

/** Keep each change as it comes; what is saved is no draft. */
export function keepDrafts(editing: Editing): void {
  const mine = owner();
  if (!mine || !editing.canWrite()) return;
  const key = keyOf(editing);
  createEffect(
    on([editing.dirty, editing.figure, editing.state, editing.conflict], ([dirty, figure, state, conflict]) => {
      if (conflict) return; // the one that was left is not lost before it is chosen or dropped
      const kept = dirty ? drafts.put(mine, key, { figure, base: state.version } satisfies Draft) : drafts.drop(mine, key);
      kept.catch((error: unknown) => console.info("skeleton editor:", error)); // a full disk costs the draft, nothing else
    }),
  );
}

function keyOf(editing: Editing): string {
  return `skeleton/${editing.state().urls.save}`;
}
