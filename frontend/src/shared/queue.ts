// What was sent without a connection waits here and goes once. Used by the service worker, which takes and sends, and by
// pages, which show and cancel.
//
// Once means: the request carries a key (`once`) under which the server accepts one, or bytes that it knows again (uploads, by
// their sha256, per merchant). So a request whose answer was lost is simply sent again.
import type { Owner } from "./account";
import { ownerOf } from "./account";
import { database, drafts, type Waiting } from "./db";

export const LONGEST = 7 * 24 * 3600 * 1000; // ms; what waited longer is not sent any more
const LOCK = "imodel-queue";
const TAG = "imodel-queue"; // of Background Sync
const TOKEN = "csrfmiddlewaretoken";
const PATIENCE = 60_000; // ms for a request, and as many more as its bytes need on a slow line
const SLOWEST = 64; // bytes a ms

export type Fields = Waiting["fields"];

/** Who is there now, as /pwa/state tells it. */
export interface There {
  account: string;
  csrf: string;
}

/** How an attempt ended: gone for good, refused for good, or still to be tried. */
export type Outcome = { sent: true } | { sent: false; again: true } | ({ sent: false; again: false } & Reason);

/** Why not: the server's stable code, empty where it gave none, and its sentence. */
type Reason = Pick<Waiting, "code" | "said">;

export type Change = { what: "sent" | "refused" | "waiting" | "cancelled"; item: Waiting };

/** A form as it was to be sent, without the token, which will be another one. */
export function fieldsOf(form: FormData): Fields {
  // An input of files without one is sent as an empty file without a name, which, sent again, would get a name.
  const isNothing = (value: FormDataEntryValue) => typeof value !== "string" && !value.size && !value.name;
  const entries = [...form.entries()].filter(([name, value]) => name !== TOKEN && !isNothing(value));
  return entries.map(([name, value]) => [name, value, typeof value === "string" ? "" : value.name]);
}

/** The key under which the server takes it once: the form's own, so that a first try that did arrive counts. */
export function onceOf(fields: Fields): string {
  const found = fields.find(([name]) => name === "once")?.[1];
  return typeof found === "string" && found ? found : newKey();
}

export function newKey(): string {
  return crypto.randomUUID();
}

/** Put it in line. The same form sent twice is one; another form under the same key gets a key of its own. */
export async function enqueue(owner: Owner, kind: Waiting["kind"], url: string, fields: Fields): Promise<Waiting> {
  const once = onceOf(fields);
  const line = await waiting(owner);
  const twin = line.find((item) => item.kind !== "upload" && item.url === url && item.once === once);
  if (twin && sameFields(twin.fields, fields)) return twin;
  const item = made(kind, url, fields, twin ? newKey() : once);
  item.made = Math.max(item.made, 1 + (line.at(-1)?.made ?? 0)); // the order, also within a millisecond
  await (await database(owner)).put("queue", item);
  return item;
}

/** Put it in line, show it in every tab, and ask to be woken when there is a line. For pages and for the worker. */
export async function putInLine(owner: Owner, kind: Waiting["kind"], url: string, fields: Fields): Promise<Waiting> {
  const item = await enqueue(owner, kind, url, fields);
  announce({ what: "waiting", item });
  await askToWake().catch(() => undefined); // without Background Sync pages ask, when the line is back
  return item;
}

/** To every tab, the one that calls this included. Without the fields: nobody draws them, and they may be megabytes. */
export function announce({ what, item }: Change): void {
  const channel = new BroadcastChannel("imodel");
  channel.postMessage({ type: "queue", change: { what, item: { ...item, fields: [] } } });
  channel.close();
}

type Waking = ServiceWorkerRegistration & { sync?: { register(tag: string): Promise<void> } };

async function askToWake(): Promise<void> {
  const own = Reflect.get(globalThis, "registration") as Waking | undefined; // in the worker
  const found = own ?? ((await navigator.serviceWorker?.getRegistration()) as Waking | undefined);
  await found?.sync?.register(TAG);
}

function made(kind: Waiting["kind"], url: string, fields: Fields, once: string): Waiting {
  const name = fields.find(([, value]) => typeof value !== "string")?.[2] ?? "";
  const given = kind === "shoot" ? [...fields.filter(([field]) => field !== "once"), onceField(once)] : fields;
  return { id: newKey(), kind, url, name, fields: given, once, made: Date.now(), status: "waiting", code: "", said: "" };
}

function onceField(once: string): Fields[number] {
  return ["once", once, ""];
}

function sameFields(one: Fields, other: Fields): boolean {
  const plain = (fields: Fields) =>
    JSON.stringify(fields.map(([name, value, file]) => [name, typeof value === "string" ? value : [file, value.size]]).sort());
  return plain(one) === plain(other);
}

/** All of the owner's, oldest first. */
export async function waiting(owner: Owner): Promise<Waiting[]> {
  const all = await (await database(owner)).getAll("queue");
  return all.sort((one, other) => one.made - other.made);
}

/** Take one out of the line; false when it had left already. */
export async function cancel(owner: Owner, id: string): Promise<boolean> {
  return navigator.locks.request(LOCK, async () => {
    const db = await database(owner);
    const there = (await db.getKey("queue", id)) !== undefined;
    await db.delete("queue", id);
    return there;
  });
}

/** What a sender must know. */
export interface Sender {
  there(signal: AbortSignal): Promise<There>;
  tell(change: Change): void;
  /** Aborted before the owner is forgotten: from then on nothing is sent, and nothing is written that would bring them back. */
  stop: AbortSignal;
}

/** Send what waits, one after another, as long as the owner is there. One sender at a time, over all tabs and the worker. */
export async function flush(owner: Owner, sender: Sender): Promise<void> {
  await navigator.locks.request(LOCK, async () => {
    if (sender.stop.aborted) return;
    for (const item of await waiting(owner)) {
      if (item.status !== "waiting") continue;
      const outcome = Date.now() - item.made > LONGEST ? tooOld() : await attempt(owner, item, sender);
      if (!outcome || sender.stop.aborted) return;
      await settle(owner, item, outcome, sender);
    }
  });
}

function tooOld(): Outcome {
  return { sent: false, again: false, code: "", said: "" };
}

/** `null` where nobody or somebody else is there: no other one would go either. */
async function attempt(owner: Owner, item: Waiting, { there, stop }: Sender): Promise<Outcome | null> {
  const now = await there(within(PATIENCE, stop)).catch(() => null); // for each: a sign-in in another tab changes the token
  if (ownerOf(now?.account) !== owner) return null;
  try {
    const signal = within(PATIENCE + bytesOf(item) / SLOWEST, stop);
    return await outcomeOf(await fetch(item.url, { ...requestOf(item, now?.csrf ?? ""), signal }));
  } catch {
    return { sent: false, again: true }; // no answer; whether it arrived, the server knows by the key
  }
}

/** Aborted after so many ms, or with `stop`. Not AbortSignal.any: Safari before 17.4 has none. */
export function within(ms: number, stop: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const end = () => controller.abort();
  setTimeout(end, ms);
  stop.addEventListener("abort", end, { once: true });
  if (stop.aborted) end();
  return controller.signal;
}

function bytesOf({ fields }: Waiting): number {
  return fields.reduce((sum, [, value]) => sum + (typeof value === "string" ? value.length : value.size), 0);
}

async function settle(owner: Owner, item: Waiting, outcome: Outcome, { tell }: Sender): Promise<void> {
  if (!outcome.sent && outcome.again) return;
  const db = await database(owner);
  if (outcome.sent) {
    await db.delete("queue", item.id);
    await dropDraftOf(owner, item);
    return tell({ what: "sent", item });
  }
  const refused: Waiting = { ...item, status: "refused", code: outcome.code, said: outcome.said };
  await db.put("queue", refused);
  tell({ what: "refused", item: refused });
}

/** A photo begun without a connection keeps its draft until it arrived; the page that began it may be closed by then. */
async function dropDraftOf(owner: Owner, { kind, fields }: Waiting): Promise<void> {
  const local = fields.find(([name]) => name === "local")?.[1];
  if (kind === "upload" && typeof local === "string") await drafts.drop(owner, `mask/${local}`);
}

/** The request as it goes out. */
export function requestOf(item: Waiting, csrf: string): RequestInit {
  const body = new FormData();
  for (const [name, value, file] of item.fields) {
    if (typeof value === "string") body.append(name, value);
    else body.append(name, value, file || "file");
  }
  const headers = { "X-CSRFToken": csrf, "X-Requested-With": "XMLHttpRequest", Accept: "application/json" };
  return { method: "POST", body, headers, credentials: "same-origin" };
}

/** What an answer means for what waits. */
export async function outcomeOf(answer: Response): Promise<Outcome> {
  if (answer.redirected && new URL(answer.url).pathname.startsWith("/account/")) return { sent: false, again: true };
  if (answer.ok) return { sent: true };
  const soon = answer.status >= 500 || [401, 403, 408, 425, 429].includes(answer.status);
  if (soon) return { sent: false, again: true };
  return { sent: false, again: false, ...(await reasonOf(answer)) };
}

/** From the JSON of ours, or from the page that a form would have come back as. */
async function reasonOf(answer: Response): Promise<Reason> {
  const text = await answer.text();
  try {
    const { error } = JSON.parse(text) as { error?: { code?: string; message?: string } };
    return { code: String(error?.code ?? ""), said: String(error?.message ?? "") };
  } catch {
    const found = /class="[^"]*\b(?:errorlist|field-error|form-errors|callout bad)\b[^"]*"[^>]*>(?:\s|<[^>]+>)*([^<]+)/.exec(text);
    return { code: "", said: found?.[1]?.trim() ?? "" };
  }
}
