// A photo's editor from the first request to the saved mask: what it begins with, where it decodes, what is kept and sent.
import { createSignal } from "solid-js";
import { ApiError } from "../../shared/api";
import type { Source } from "../logic/choice";
import type { Size } from "../logic/geometry";
import type { Rung } from "../logic/ladder";
import { type Edits, newPart, NOTHING, sameMask, withPart } from "../logic/model";
import { saveName, unpackEdits } from "../logic/serial";
import type { ModelCalls } from "../worker/protocol";
import type { Line } from "../worker/rpc";
import { type Decoder, openDecoder } from "./decoder";
import { embed } from "./embedding";
import { type Heard, hearOf, isWaiting, sendMask, sendNew, takeBack } from "./outbox";
import { bitmapOf, fetchBlob } from "./pictures";
import { Raster } from "./raster";
import { type CutState, fetchState, type Start } from "./server";
import { type Happening, Session } from "./session";
import { type Draft, dropDraft, keepDraft, readDraft } from "./shelf";

export type Saving = "clean" | "changed" | "saving" | "saved" | "waits" | "conflict";
/** How far it is: pictures first, then the decoder; without one, brush and eraser still work. */
export type Stage = "opening" | "shown" | "ready" | "by-hand";

export interface Opened {
  readonly state: CutState;
  readonly picture: Blob;
  readonly key: string;
  readonly masks: ReadonlyMap<string, Blob>;
  /** For a photo that is only on this device yet. */
  readonly local: { readonly file: File; readonly start: Start } | null;
}

const SAVED = "saved"; // what parts call the mask that the server has
const QUIET = 500; // ms without a change before a draft is kept

/** A photo of the shop. Without a connection the service worker answers with what it has. */
export async function openPhoto(stateUrl: string): Promise<Opened> {
  const state = await fetchState(stateUrl);
  const [picture, masks] = await Promise.all([fetchBlob(state.photo.url), fetchMasks(state)]);
  return { state, picture, masks, key: stateUrl, local: null };
}

/** A photo that is only on this device yet; ``key`` is that of a draft to go on with. */
export async function openFile(file: File, start: Start, key = `new:${crypto.randomUUID()}`): Promise<Opened> {
  const bitmap = await bitmapOf(file);
  const photo = { id: "", url: "", width: bitmap.width, height: bitmap.height };
  bitmap.close();
  const embedding = { status: "none", url: null, encoder: start.encoder?.family ?? "" } as const;
  const { decoder, encoder } = start;
  const state = { photo, embedding, decoder, encoder, decode_url: "", proposals: [], best: null, mask: null, save_url: "", can_write: true };
  return { state, picture: file, key, masks: new Map(), local: { file, start } };
}

/** The finished masks that edits may begin from. */
async function fetchMasks(state: CutState): Promise<Map<string, Blob>> {
  const wanted = state.proposals.map((one) => [one.part, one.url] as const);
  if (state.mask) wanted.push([SAVED, state.mask.url]);
  const found = await Promise.all(wanted.map(async ([name, url]) => [name, await fetchBlob(url).catch(() => null)] as const));
  return new Map(found.filter((one): one is readonly [string, Blob] => one[1] !== null));
}

export class Room {
  readonly session: Session;
  readonly photo: Size;
  readonly pictureUrl: string;
  private readonly raster = new Raster();
  private readonly signals = signals();
  private readonly deaf: () => void;
  private decoder: Decoder | null = null;
  private base: string;
  /** The name and the edits of what went last: the server knows it again by the name, and what was done since by the edits. */
  private sent = "";
  private sentEdits: Edits | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly opened: Opened,
    private readonly told: (what: Happening) => void,
    private readonly failed: (error: unknown) => void,
  ) {
    const { local, state } = opened;
    const { photo, mask, save_url } = state;
    this.photo = { width: photo.width, height: photo.height };
    this.pictureUrl = URL.createObjectURL(opened.picture);
    this.base = mask?.sha256 ?? "";
    this.session = new Session(this.photo, this.raster, (what) => this.happened(what), failed);
    const [url, name] = local ? [local.start.upload_url, local.file.name] : [save_url, ""];
    this.deaf = hearOf(url, name, (heard) => void this.arrived(heard).catch(failed));
  }

  get stage(): Stage {
    return this.signals.stage();
  }
  get saving(): Saving {
    return this.signals.sending() ? "saving" : this.signals.saving();
  }
  get rung(): Rung | null {
    return this.signals.rung();
  }
  get source(): Source | null {
    return this.signals.source();
  }
  /** Unsaved edits of an earlier visit are back. */
  get restored(): boolean {
    return this.signals.restored();
  }
  get proposals(): readonly string[] {
    return this.opened.state.proposals.map((one) => one.part).filter((part) => this.opened.masks.has(part));
  }

  /** The mask first, so that there is something to see; the decoder meanwhile, but no click before the mask is there. */
  async enter(): Promise<void> {
    const begun = this.begin();
    await Promise.all([begun, this.prepare(begun)]);
  }

  private async begin(): Promise<void> {
    await this.raster.photo(this.photo);
    for (const [name, blob] of this.opened.masks) await this.raster.mask(name, await bitmapOf(blob));
    this.session.begin(await this.firstEdits());
    this.signals.setStage("shown");
  }

  /** Keep on this device, then send. What is done meanwhile stays a change. */
  async save(): Promise<void> {
    if (this.signals.sending()) return;
    clearTimeout(this.timer);
    this.signals.setSending(true);
    try {
      await this.send(this.session.edits);
    } catch (error) {
      this.signals.setSaving("changed");
      this.failed(error);
    } finally {
      this.signals.setSending(false);
    }
  }

  /** After a conflict: this mask counts, the other one is replaced. */
  async saveOver(): Promise<void> {
    this.base = (await fetchState(this.opened.key)).mask?.sha256 ?? "";
    await this.save();
  }

  /** Forget what was done here; the page is loaded again after it. */
  async dropMine(): Promise<void> {
    clearTimeout(this.timer);
    await dropDraft(this.opened.key);
  }

  close(): void {
    clearTimeout(this.timer);
    this.deaf();
    this.decoder?.close();
    this.raster.close();
    URL.revokeObjectURL(this.pictureUrl);
  }

  private async send(asked: Edits): Promise<void> {
    const { png, edits } = await this.raster.save(asked);
    await this.settleOlder();
    this.sent = saveName(edits);
    this.sentEdits = asked;
    const draft = this.draft(edits);
    await keepDraft(draft).catch(lost);
    const { local, state } = this.opened;
    if (local) return this.sendLocal({ ...draft, file: local.file }, png, local.start);
    const sent = await sendMask({ url: state.save_url, png, edits, base: this.base });
    if (sent.how === "saved") await this.saved(sent.state);
    else this.stands(sent.how);
  }

  private async sendLocal(draft: Draft & { file: File }, png: Blob, start: Start): Promise<void> {
    const sent = await sendNew(draft, png, start);
    this.stands(sent.how);
    if (sent.how !== "saved") return;
    clearTimeout(this.timer);
    await this.takeAlong(start, sent.state).catch(lost);
    location.assign(start.cut_url.replace("PHOTO", sent.state.photo.id));
  }

  /** The photo has an address now: what was done since it was sent is found again there. */
  private async takeAlong(start: Start, { photo, mask }: CutState): Promise<void> {
    if (!this.changedSince()) return;
    const edits = await this.raster.pack(this.session.edits);
    await keepDraft({ ...this.draft(edits), key: start.state_url.replace("PHOTO", photo.id), base: mask?.sha256 ?? "", file: null });
  }

  private stands(how: "saved" | "waits" | "conflict"): void {
    this.signals.setSaving(how !== "conflict" && this.changedSince() ? "changed" : how);
  }

  /** One that waits would change what this one is based on. When it has left already, it is what this one is based on. */
  private async settleOlder(): Promise<void> {
    if (this.opened.local) return;
    const older = await takeBack((item) => item.kind === "mask" && item.url === this.opened.state.save_url);
    if (this.sent && !older) await this.recognise();
  }

  /** Without an answer the base stays, and the server says whether it is another one. */
  private async recognise(): Promise<void> {
    const state = await fetchState(this.opened.key).catch(() => null);
    if (state && saveName(state.mask?.edits) === this.sent) this.base = state.mask?.sha256 ?? "";
  }

  private async saved(state: CutState): Promise<void> {
    this.base = state.mask?.sha256 ?? "";
    await this.settled();
  }

  /** What was sent is the server's: what was done since, if anything, is all that is still to be kept. */
  private async settled(): Promise<void> {
    this.signals.setRestored(false);
    this.stands("saved");
    await (this.changedSince() ? this.keepUnsaved() : dropDraft(this.opened.key)).catch(lost);
  }

  private changedSince(): boolean {
    return this.sentEdits === null || !sameMask(this.sentEdits, this.session.edits);
  }

  /** A mask that waited went, or was refused. While another one goes, its own answer counts. */
  private async arrived({ arrived, said, code }: Heard): Promise<void> {
    if (!this.sent || this.signals.sending()) return;
    if (!arrived) return this.refused(said, code);
    if (!this.opened.local) await this.recognise();
    await this.settled();
  }

  private refused(said: string, code: string): void {
    const conflict = code === "mask_changed" && !this.opened.local;
    this.signals.setSaving(conflict ? "conflict" : "changed");
    if (said && !conflict) this.failed(new ApiError(code || "refused", said, 409, false));
  }

  private async prepare(begun: Promise<void>): Promise<void> {
    const ready = await this.decoding().catch((error: unknown) => console.info("mask editor:", error));
    await begun;
    if (ready) this.session.use(ready);
    this.signals.setStage(ready ? "ready" : "by-hand");
  }

  /** ``null`` where nothing can decode: brush and eraser still work. */
  private async decoding(): Promise<Decoder | null> {
    const { state } = this.opened;
    if (!state.decoder) return null;
    const embed = (line: Line<ModelCalls>): Promise<Source | null> => this.embed(line);
    const wanted = { model: state.decoder.url, decodeUrl: state.decode_url, photo: this.photo, embed };
    this.decoder = await openDecoder(wanted, (rung, reason) => console.info("mask editor:", rung, reason));
    this.signals.setRung(this.decoder.rung);
    const source = await this.decoder.embedded;
    this.signals.setSource(source === "there" ? null : source);
    return source === null ? null : this.decoder;
  }

  private embed(line: Line<ModelCalls>): Promise<Source | null> {
    const { state, key, picture } = this.opened;
    return embed(line, { state, stateUrl: key, picture: () => bitmapOf(picture) });
  }

  /** What was left unsaved here, else what was saved, else what was found by itself. */
  private async firstEdits(): Promise<Edits> {
    const { state, masks } = this.opened;
    const draft = await readDraft(this.opened.key).catch(() => null);
    const mine = draft ? await this.unsent(draft) : null;
    if (mine) return mine;
    const saved = await unpackEdits(state.mask?.edits, this.photo);
    // A mask that came from elsewhere, or from steps that began with such a one, is taken as it is.
    if (saved?.parts.length && !saved.parts.some((part) => part.proposal === SAVED)) return saved;
    const name = masks.has(SAVED) ? SAVED : state.best;
    return name !== null && masks.has(name) ? withPart(NOTHING, newPart("p1", { proposal: name })) : NOTHING;
  }

  /** ``null`` when the draft arrived meanwhile, or cannot be read. */
  private async unsent(draft: Draft): Promise<Edits | null> {
    const { state, key } = this.opened;
    const arrived = draft.sent !== "" && draft.sent === saveName(state.mask?.edits);
    const asSent = draft.sent !== "" && draft.sent === saveName(draft.edits);
    if (arrived && asSent) {
      await dropDraft(key).catch(lost);
      return null;
    }
    const edits = await unpackEdits(draft.edits, this.photo);
    if (!edits) return null;
    const waits = asSent && (await isWaiting(state.save_url));
    this.sent = draft.sent;
    if (asSent) this.sentEdits = edits;
    this.signals.setRestored(!waits);
    this.signals.setSaving(waits ? "waits" : arrived || draft.base === this.base ? "changed" : "conflict");
    return edits;
  }

  private happened(what: Happening): void {
    this.told(what);
    if (what === "nothing" || this.drawnLate()) return;
    this.signals.setSaving((now) => (now === "conflict" ? now : "changed"));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.keepUnsaved().catch(lost), QUIET);
  }

  /** The last change was sent before it was drawn. */
  private drawnLate(): boolean {
    const sent = this.signals.sending() || ["saved", "waits"].includes(this.signals.saving());
    return sent && !this.changedSince();
  }

  private async keepUnsaved(): Promise<void> {
    const edits = await this.raster.pack(this.session.edits);
    const saving = this.signals.saving();
    if (saving === "changed" || saving === "conflict") await keepDraft(this.draft(edits));
  }

  private draft(edits: string): Draft {
    const { key, local } = this.opened;
    return { key, edits, base: this.base, at: Date.now(), sent: this.sent, file: local?.file ?? null, garment: local?.start.garment ?? "" };
  }
}

/** A full or forbidden disk costs the draft, nothing else. */
function lost(error: unknown): void {
  console.info("mask editor:", error);
}

function signals() {
  const [stage, setStage] = createSignal<Stage>("opening");
  const [saving, setSaving] = createSignal<Exclude<Saving, "saving">>("clean");
  const [sending, setSending] = createSignal(false);
  const [rung, setRung] = createSignal<Rung | null>(null);
  const [source, setSource] = createSignal<Source | null>(null);
  const [restored, setRestored] = createSignal(false);
  return { stage, setStage, saving, setSaving, sending, setSending, rung, setRung, source, setSource, restored, setRestored };
}
