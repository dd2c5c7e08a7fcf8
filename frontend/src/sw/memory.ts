// What the worker must still know after the browser ended it: for whom it keeps, and when something was last written.
import { openDB } from "idb";
import { NOBODY, type Account, type Owner, ownerOf } from "../shared/account";
import { forget, owners } from "../shared/db";
import { isForeign } from "./keeping";

export interface Memory {
  account: Account;
  /** When that changed; an answer that was asked for earlier says nothing about who is there now. */
  since: number;
  wrote: number;
  language: string;
  theme: string;
}

const NAME = "imodel-worker";
const channel = new BroadcastChannel("imodel");
let known: Promise<Memory> | null = null;
let last: Promise<void> = Promise.resolve();
let tenure = new AbortController();

/** Aborted when somebody is forgotten. Whoever writes for an owner checks it right before, or would bring them back. */
export const untilForgotten = (): AbortSignal => tenure.signal;

function store() {
  return openDB(NAME, 1, { upgrade: (db) => void db.createObjectStore("memory") });
}

export function remembered(): Promise<Memory> {
  known ??= read();
  return known;
}

async function read(): Promise<Memory> {
  const nothing: Memory = { account: NOBODY, since: 0, wrote: 0, language: "", theme: "" };
  const db = await store();
  const found = (await db.get("memory", "now")) as Memory | undefined;
  db.close();
  return { ...nothing, ...found };
}

/** Changes come one after another: two at a time would each put back what the other changed. */
export function remember(change: Partial<Memory>): Promise<void> {
  const next = remembered().then((before) => ({ ...before, ...change }));
  known = next;
  last = last.then(async () => write(await next)).catch(() => undefined); // without it the worker asks the server more often
  return last;
}

async function write(memory: Memory): Promise<void> {
  const db = await store();
  await db.put("memory", memory, "now");
  db.close();
}

/** The owner whose data is kept now. */
export async function owner(): Promise<Owner | null> {
  return ownerOf((await remembered()).account);
}

/** Something was sent that may have changed any page. */
export async function noteWriting(): Promise<void> {
  await remember({ wrote: Date.now() });
}

/** An answer, asked for at `asked`, says for whom it was made. Whoever came before is forgotten before this promise ends.
 * False for one from before a change: it is of somebody who has left. */
export async function noteAccount(account: Account | null, asked: number): Promise<boolean> {
  const { account: before, since } = await remembered();
  if (account === null || account === before) return true;
  if (asked < since) return false;
  if (ownerOf(account) !== ownerOf(before) || account === NOBODY) await wipe(ownerOf(account), account === NOBODY);
  await remember({ account, since: Date.now() });
  channel.postMessage({ type: "account", account });
  return true;
}

/** Nobody's data stays: at a sign-out, and before another merchant is worked for. */
export async function wipeAll(): Promise<void> {
  await wipe(null, false);
  await remember({ account: NOBODY, since: Date.now(), wrote: Date.now() });
}

/** Every tab shows pages of whoever was there before. */
export function tellTabs(): void {
  channel.postMessage({ type: "account", account: NOBODY });
}

/** All caches and databases but one owner's. A session that merely ended leaves its databases: what waits there can only be
 * sent by the person it belongs to, once they are back. */
async function wipe(except: Owner | null, ended: boolean): Promise<void> {
  tenure.abort();
  tenure = new AbortController();
  const names = (await caches.keys()).filter((name) => isForeign(name, except));
  await Promise.all(names.map((name) => caches.delete(name)));
  if (ended) return;
  const others = (await owners()).filter((found) => found !== except);
  await Promise.all(others.map(forget));
}
