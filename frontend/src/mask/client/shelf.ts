// Unsaved edits, kept on this device in the owner's database (shared/db.ts), so that leaving with or without a connection loses
// nothing. The photo, its masks and its embedding are kept by the service worker.
import { drafts } from "../../shared/db";
import { owner } from "../../shared/owner";

const ROOM = "mask/";

export interface Draft {
  /** The address of the photo's state, or "new:..." for a photo that was never uploaded. */
  readonly key: string;
  readonly edits: string;
  /** The saved mask that was edited; "" for none. */
  readonly base: string;
  readonly at: number;
  /** Sent under this name; the server's copy of the edits carries it. "" while it was not. */
  readonly sent: string;
  /** The photo itself, where it was never uploaded. */
  readonly file: File | null;
  readonly garment: string;
}

export async function readDraft(key: string): Promise<Draft | null> {
  const mine = owner();
  return mine ? ((await drafts.get<Draft>(mine, ROOM + key)) ?? null) : null;
}

export async function keepDraft(draft: Draft): Promise<void> {
  const mine = owner();
  if (mine) await drafts.put(mine, ROOM + draft.key, draft);
}

export async function dropDraft(key: string): Promise<void> {
  const mine = owner();
  if (mine) await drafts.drop(mine, ROOM + key);
}

/** Photos that were begun here and never uploaded, newest first. */
export async function localDrafts(): Promise<(Draft & { file: File })[]> {
  const mine = owner();
  if (!mine) return [];
  const keys = (await drafts.keys(mine)).filter((key) => key.startsWith(`${ROOM}new:`));
  const found = await Promise.all(keys.map((key) => drafts.get<Draft>(mine, key)));
  return found.filter((draft): draft is Draft & { file: File } => draft?.file instanceof File).sort((a, b) => b.at - a.at);
}
