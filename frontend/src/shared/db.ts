// IndexedDB, one database for each owner (a merchant and a person), so that forgetting one is deleting it. Every connection
// closes itself when somebody wants to delete: a forgotten tab must not keep a merchant's data alive.
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from "idb";
import type { Owner } from "./account";

const PREFIX = "imodel:";
const VERSION = 1;

/** A request that waits to be sent (shared/queue.ts). */
export interface Waiting {
  id: string;
  kind: "shoot" | "upload" | "mask";
  url: string;
  /** What the person calls it: the file's name, or empty. */
  name: string;
  fields: [name: string, value: string | Blob, fileName: string][];
  /** The server carries out one request with it, however often it comes. */
  once: string;
  made: number;
  status: "waiting" | "refused";
  /** Why it was refused: the error's code (empty where the server gave none), and the server's words. */
  code: string;
  said: string;
}

/** A picture of the media cache, for its bounds. */
export interface KeptFile {
  address: string;
  bytes: number;
  /** When it last came from the server, ms since 1970. */
  used: number;
}

interface Rooms extends DBSchema {
  queue: { key: string; value: Waiting };
  files: { key: string; value: KeptFile; indexes: { used: number } };
  /** Of the islands: a key of the room's own, such as `mask/<photo>`, and whatever can be cloned. */
  drafts: { key: string; value: unknown };
}

export type Database = IDBPDatabase<Rooms>;

const open = new Map<Owner, Promise<Database>>();

/** The owner's database; made when it is not there. */
export function database(owner: Owner): Promise<Database> {
  const found = open.get(owner) ?? connect(owner);
  open.set(owner, found);
  return found;
}

function connect(owner: Owner): Promise<Database> {
  const gone = () => open.delete(owner);
  return openDB<Rooms>(PREFIX + owner, VERSION, {
    upgrade(db) {
      db.createObjectStore("queue", { keyPath: "id" });
      db.createObjectStore("files", { keyPath: "address" }).createIndex("used", "used");
      db.createObjectStore("drafts");
    },
    blocking(_from, _to, event) {
      gone();
      (event.target as IDBDatabase).close();
    },
    terminated: gone,
  });
}

/** Whose databases are in this browser. */
export async function owners(): Promise<Owner[]> {
  const names = (await indexedDB.databases()).map((found) => found.name ?? "");
  return names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
}

/** Delete an owner's database, also while other tabs have it open. */
export async function forget(owner: Owner): Promise<void> {
  const mine = open.get(owner);
  open.delete(owner);
  (await mine?.catch(() => null))?.close();
  await deleteDB(PREFIX + owner);
}

/** What an island keeps of the owner's: read, write, drop. A value is anything that can be cloned, blobs included. */
export const drafts = {
  async get<T>(owner: Owner, key: string): Promise<T | undefined> {
    return (await (await database(owner)).get("drafts", key)) as T | undefined;
  },
  async put(owner: Owner, key: string, value: unknown): Promise<void> {
    await (await database(owner)).put("drafts", value, key);
  },
  async drop(owner: Owner, key: string): Promise<void> {
    await (await database(owner)).delete("drafts", key);
  },
  async keys(owner: Owner): Promise<string[]> {
    return (await database(owner)).getAllKeys("drafts");
  },
};
