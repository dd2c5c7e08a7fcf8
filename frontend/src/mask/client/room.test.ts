// A mask on its way to the shop, and what is done meanwhile: nothing is lost, and one's own mask is nobody else's.
import { createRoot } from "solid-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Edits } from "../logic/model";
import { packEdits, unpackEdits } from "../logic/serial";
import { type Opened, Room } from "./room";
import type { CutState } from "./server";
import { dropDraft, readDraft } from "./shelf";

const OWNER = "a".repeat(32);
const STATE = "/cut/state";
const SAVE = "/cut/save";

/** What the shop has, and each save that it was asked for; a save is answered when the test says so. */
class Shop {
  mask: CutState["mask"] = null;
  readonly bases: string[] = [];
  private readonly answers: (() => void)[] = [];

  readonly fetch = async (url: string, init: RequestInit = {}): Promise<Response> => {
    if (url === STATE) return Response.json(this.state());
    const form = init.body as FormData;
    this.bases.push(String(form.get("base")));
    await new Promise<void>((resolve) => this.answers.push(resolve));
    if (form.get("base") !== (this.mask?.sha256 ?? "")) return refusal("mask_changed");
    return Response.json(this.has(String(form.get("edits"))));
  };

  has(edits: string): CutState {
    this.mask = { url: "/mask", sha256: `sha of ${edits}`, edits: JSON.parse(edits) };
    return this.state();
  }

  async answer(): Promise<void> {
    await vi.waitFor(() => expect(this.answers.length).toBeGreaterThan(0));
    this.answers.shift()!();
  }

  state(): CutState {
    const embedding = { status: "none", url: null, encoder: "" } as const;
    const photo = { id: "1", url: "/photo", width: 8, height: 8 };
    return { photo, embedding, decoder: null, encoder: null, decode_url: "", proposals: [], best: null, mask: this.mask, save_url: SAVE, can_write: true };
  }
}

function refusal(code: string): Response {
  return Response.json({ error: { code, message: "said", retryable: false } }, { status: 409 });
}

/** The worker that walks over pixels, without pixels. */
class Pixels {
  private hear: (event: { data: unknown }) => void = () => undefined;
  addEventListener(kind: string, hear: (event: { data: unknown }) => void): void {
    if (kind === "message") this.hear = hear;
  }
  async postMessage({ number, kind, ask }: { number: number; kind: string; ask: Edits }): Promise<void> {
    const edits = kind === "save" || kind === "pack" ? await packEdits(ask, { width: 8, height: 8 }) : "";
    const shown = { pixels: new Uint8ClampedArray(4), outline: "", share: 1 };
    this.hear({ data: { number, answer: kind === "compose" ? shown : { png: new Blob(["png"]), edits } } });
  }
  terminate(): void {}
}

/** Every save waits in the line from now on. */
function offline(): void {
  vi.stubGlobal("fetch", async () => Response.json({ queued: true }, { status: 202 }));
}

/** How much of what was painted is kept on this device. */
async function strokesKept(): Promise<number> {
  const edits = await unpackEdits((await readDraft(STATE))?.edits, { width: 8, height: 8 });
  return edits?.parts.flatMap((part) => part.strokes).length ?? 0;
}

let shop: Shop;
let room: Room;
const failed = vi.fn();

beforeEach(async () => {
  document.body.innerHTML = `<script type="application/json" id="pwa">${JSON.stringify({ account: `${OWNER}.${OWNER}.${"0".repeat(12)}` })}</script>`;
  Object.defineProperty(navigator, "locks", { configurable: true, value: { request: (_name: string, work: () => unknown) => work() } });
  shop = new Shop();
  await dropDraft(STATE);
  vi.stubGlobal("Worker", Pixels);
  vi.stubGlobal("fetch", shop.fetch);
  room = await entered();
});

afterEach(() => {
  room.close();
  vi.unstubAllGlobals();
  failed.mockReset();
});

async function entered(): Promise<Room> {
  const opened: Opened = { state: shop.state(), picture: new Blob(["photo"]), key: STATE, masks: new Map(), local: null };
  const made = createRoot(() => new Room(opened, () => undefined, failed));
  await made.enter();
  return made;
}

const paint = async (): Promise<void> => {
  room.session.stroke({ add: true, radius: 2, path: [1, 1] });
  await vi.waitFor(() => expect(["changed", "saving"]).toContain(room.saving));
  await new Promise((resolve) => setTimeout(resolve, 0));
};

test("what is done while a save is on its way stays a change, over the mask that was saved", async () => {
  await paint();
  const first = room.save();
  await paint();
  await shop.answer();
  await first;
  expect(room.saving).toBe("changed");
  expect(await strokesKept()).toBe(2);
  expect((await readDraft(STATE))?.base).toBe(shop.mask?.sha256);
  const second = room.save();
  await shop.answer();
  await second;
  expect(room.saving).toBe("saved");
  expect(await readDraft(STATE)).toBeNull();
});

test("a second save waits for the answer of the first", async () => {
  await paint();
  const first = room.save();
  await paint();
  await room.save();
  await shop.answer();
  await first;
  expect(shop.bases).toEqual([""]);
});

test("one's own mask that waited and went meanwhile is what the next one is based on", async () => {
  await paint();
  offline();
  await room.save();
  expect(room.saving).toBe("waits");
  const went = (await readDraft(STATE))?.edits;
  await paint();
  shop.has(went!);
  vi.stubGlobal("fetch", shop.fetch);
  const next = room.save();
  await shop.answer();
  await next;
  expect(room.saving).toBe("saved");
});

test("somebody else's mask is a conflict", async () => {
  await paint();
  shop.has(JSON.stringify({ name: "theirs" }));
  const save = room.save();
  await shop.answer();
  await save;
  expect(room.saving).toBe("conflict");
  expect(failed).not.toHaveBeenCalled();
});

test("what was done to one's own mask that arrived after the page was closed is a change, not a conflict", async () => {
  await paint();
  offline();
  await room.save();
  const went = (await readDraft(STATE))!.edits;
  await paint();
  await vi.waitFor(async () => expect(await strokesKept()).toBe(2), { timeout: 2000 });
  room.close();
  shop.has(went);
  room = await entered();
  expect(room.session.edits.parts.flatMap((part) => part.strokes)).toHaveLength(2);
  expect(room.saving).toBe("changed");
});

test("a refusal of one that waited is told in the server's words, and is a conflict only where the mask was changed", async () => {
  const channel = new BroadcastChannel("imodel");
  const told = (code: string): void => channel.postMessage({ type: "queue", change: { what: "refused", item: { url: SAVE, name: "", said: "Too large.", code } } });
  await paint();
  offline();
  await room.save();
  told("mask_too_large");
  await vi.waitFor(() => expect(room.saving).toBe("changed"));
  expect(failed).toHaveBeenCalledWith(expect.objectContaining({ message: "Too large." }));
  told("mask_changed");
  await vi.waitFor(() => expect(room.saving).toBe("conflict"));
  channel.close();
});
