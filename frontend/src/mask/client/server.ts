// What the server knows of a photo's mask, and what it takes (catalog/views/cut.py).
import { ApiError, getJson, postForm, postJson } from "../../shared/api";
import { LOW, type Size } from "../logic/geometry";
import { floatsToHalves, halvesToFloats } from "../logic/npy";
import type { Decoded, Prompt } from "../logic/prompts";
import { fromBase64, toBase64 } from "../logic/serial";

export interface Proposal {
  readonly part: string;
  readonly score: number;
  readonly url: string;
}
export interface SavedMask {
  readonly url: string;
  readonly sha256: string;
  readonly edits: unknown;
}
export interface CutState {
  readonly photo: { readonly id: string; readonly url: string } & Size;
  readonly embedding: { readonly status: "ready" | "waiting" | "failed" | "none"; readonly url: string | null; readonly etag?: string | null; readonly encoder: string | null };
  readonly decoder: { readonly url: string; readonly sha256: string } | null;
  readonly encoder: { readonly url: string; readonly family: string; readonly size: number } | null;
  readonly decode_url: string;
  readonly proposals: readonly Proposal[];
  readonly best: string | null;
  readonly mask: SavedMask | null;
  readonly save_url: string;
  readonly can_write: boolean;
}
/** What a page without a photo gives: enough to mark one that is only on this device yet. */
export interface Start {
  readonly decoder: CutState["decoder"];
  readonly encoder: CutState["encoder"];
  readonly upload_url: string;
  /** Where the states of photos are, with `PHOTO` in their id's place. */
  readonly state_url: string;
  readonly cut_url: string;
  readonly garment: string;
}

export function fetchState(url: string): Promise<CutState> {
  return getJson<CutState>(null, url);
}

/** Upload a photo; its id. */
export async function uploadPhoto(url: string, file: File, garment: string): Promise<string> {
  const answer = await postForm<{ items: { photo?: string }[] }>(null, url, { photos: file, ...(garment ? { garment } : {}) });
  const photo = answer.items[0]?.photo;
  if (!photo) throw new ApiError("unreadable", "", 200, false);
  return photo;
}

/** The last rung of the ladder. */
export async function decodeThere(url: string, prompt: Prompt): Promise<Decoded> {
  const { clicks, box, mask } = prompt;
  const answer = await postJson<{ low_res: string[]; iou: number[] }>(null, url, {
    points: clicks.map(({ x, y }) => [x, y]),
    labels: clicks.map(({ add }) => (add ? 1 : 0)),
    box: box && [box.x0, box.y0, box.x1, box.y1],
    mask_input: mask && toBase64(new Uint8Array(floatsToHalves(mask).buffer)),
  });
  const planes = new Float32Array(4 * LOW * LOW);
  answer.low_res.forEach((text, at) => planes.set(halvesToFloats(new Uint16Array(fromBase64(text).buffer)), at * LOW * LOW));
  return { planes, iou: answer.iou };
}
