// Masks on their way to the shop. Without a connection they wait in the queue that all pages share (shared/queue.ts; the service
// worker puts them there, or this page where there is none) and go once. A photo that was never uploaded brings its mask along.
import { ApiError, postForm } from "../../shared/api";
import type { Waiting } from "../../shared/db";
import { cancel, type Change, putInLine, waiting } from "../../shared/queue";
import { owner } from "../../shared/owner";
import { type CutState, fetchState, type Start, uploadPhoto } from "./server";
import { type Draft, dropDraft, keepDraft, localDrafts } from "./shelf";

export type Sent = { readonly how: "saved"; readonly state: CutState } | { readonly how: "waits" } | { readonly how: "conflict" };

interface Parcel {
  readonly url: string;
  readonly png: Blob;
  readonly edits: string;
  readonly base: string;
}

/** Send a mask of a photo that the shop has. @throws ApiError when the server refuses it for good. */
export async function sendMask(parcel: Parcel): Promise<Sent> {
  try {
    const { url, png, edits, base } = parcel;
    const answer = await postForm<CutState | { queued: true }>(null, url, { mask: png, edits, base });
    return "queued" in answer ? { how: "waits" } : { how: "saved", state: answer };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === "mask_changed") return { how: "conflict" };
    if (error.code !== "offline") throw error;
    return put(parcel);
  }
}

async function put({ url, png, edits, base }: Parcel): Promise<Sent> {
  const mine = owner();
  if (!mine) throw new ApiError("offline", "", 0, true);
  await putInLine(mine, "mask", url, [["mask", png, "mask.png"], ["edits", edits, ""], ["base", base, ""]]);
  return { how: "waits" };
}

/** Take older ones out of the line; whether one was still there. */
export async function takeBack(isOlder: (item: Waiting) => boolean): Promise<boolean> {
  const older = (await inLine()).filter(isOlder);
  const mine = owner();
  const taken = await Promise.all(older.map((item) => mine !== null && cancel(mine, item.id)));
  return taken.includes(true);
}

/** All that waits; nothing where there is nobody, or no line (IndexedDB is refused). */
async function inLine(): Promise<Waiting[]> {
  const mine = owner();
  return mine ? waiting(mine).catch(() => []) : [];
}

/** Whether a mask for this address waits in the queue. */
export async function isWaiting(url: string): Promise<boolean> {
  return (await inLine()).some((item) => item.kind === "mask" && item.url === url && item.status === "waiting");
}

/** Photos that were begun here and do not wait in the line to go up, newest first. */
export async function begunHere(): Promise<(Draft & { file: File })[]> {
  const line = (await inLine()).filter((item) => item.status === "waiting");
  return (await localDrafts()).filter((draft) => !line.some((item) => isOf(draft, item)));
}

const LOCAL = "local"; // the field that tells this draft's upload from others in the queue; the server reads past it

/** Upload a photo with its mask. */
export async function sendNew(draft: Draft & { file: File }, png: Blob, start: Start): Promise<Sent> {
  await takeBack((item) => isOf(draft, item));
  const photo = navigator.onLine ? await upload(draft, start) : null;
  if (photo === null) return putNew(draft, png, start);
  // From here on the photo is the shop's: it goes up once, whatever becomes of its mask.
  const key = start.state_url.replace("PHOTO", photo);
  await keepDraft({ ...draft, key, file: null });
  await dropDraft(draft.key);
  const state = await fetchState(key);
  const sent = await sendMask({ url: state.save_url, png, edits: draft.edits, base: state.mask?.sha256 ?? "" });
  if (sent.how === "saved") await dropDraft(key);
  return sent;
}

function isOf(draft: Draft, item: Waiting): boolean {
  return item.fields.some(([name, value]) => name === LOCAL && value === draft.key);
}

/** The photo's id; ``null`` when nothing answered. */
async function upload({ file, garment }: Draft & { file: File }, start: Start): Promise<string | null> {
  try {
    return await uploadPhoto(start.upload_url, file, garment);
  } catch (error) {
    if (error instanceof ApiError && error.code === "offline") return null;
    throw error;
  }
}

/** Both in one request, which may come twice: the photo is known again by its bytes, the mask by its pixels. */
async function putNew(draft: Draft & { file: File }, png: Blob, start: Start): Promise<Sent> {
  const mine = owner();
  if (!mine) throw new ApiError("offline", "", 0, true);
  const { key, file, garment, edits } = draft;
  const given = { [LOCAL]: key, edits, ...(garment ? { garment } : {}) };
  const texts = Object.entries(given).map(([name, value]): Waiting["fields"][number] => [name, value, ""]);
  await putInLine(mine, "upload", start.upload_url, [["photos", file, file.name], ["mask", png, "mask.png"], ...texts]);
  return { how: "waits" };
}

/** What became of one that waited; ``said`` and ``code`` are the server's, of a refusal. */
export interface Heard {
  readonly arrived: boolean;
  readonly said: string;
  readonly code: string;
}

/** Hear what became of one that waited. ``name`` is an uploaded photo's, "" for a photo of the shop. */
export function hearOf(url: string, name: string, hear: (heard: Heard) => void): () => void {
  const channel = new BroadcastChannel("imodel");
  channel.addEventListener("message", (event: MessageEvent<unknown>) => {
    const change = changeIn(event.data);
    const mine = change?.item.url === url && (name === "" || change.item.name === name);
    if (!change || !mine || (change.what !== "sent" && change.what !== "refused")) return;
    hear({ arrived: change.what === "sent", said: change.item.said, code: change.item.code });
  });
  return () => channel.close();
}

function changeIn(data: unknown): Change | null {
  const message = data as { type?: string; change?: Change } | null;
  return message?.type === "queue" ? (message.change ?? null) : null;
}
