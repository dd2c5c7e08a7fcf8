// A browser's caches and a worker's surroundings, as far as these rooms use them: neither happy-dom nor Node has them.
import { vi } from "vitest";
import type { Facts } from "./facts";

const pathOf = (asked: Request | string): string => new URL(typeof asked === "string" ? asked : asked.url, "http://localhost").href;

class Shelf {
  private readonly kept = new Map<string, Response>();
  match = async (asked: Request | string) => this.kept.get(pathOf(asked))?.clone();
  put = async (asked: Request | string, answer: Response) => void this.kept.set(pathOf(asked), answer);
  async add(asked: string): Promise<void> {
    await this.put(asked, await fetch(asked));
  }
  delete = async (asked: Request | string) => this.kept.delete(pathOf(asked));
  keys = async () => [...this.kept.keys()].map((url) => ({ url }));
}

class Shelves {
  private readonly shelves = new Map<string, Shelf>();
  has = async (name: string) => this.shelves.has(name);
  keys = async () => [...this.shelves.keys()];
  delete = async (name: string) => this.shelves.delete(name);
  async open(name: string): Promise<Shelf> {
    const found = this.shelves.get(name) ?? new Shelf();
    this.shelves.set(name, found);
    return found;
  }
  async match(asked: string, { cacheName }: { cacheName: string }): Promise<Response | undefined> {
    return this.shelves.get(cacheName)?.match(asked);
  }
}

const FACTS: Partial<Facts> = {
  version: "v1",
  pages: { offline: {}, waiting: {}, stayed: {} },
  doors: { state: "/pwa/state", waiting: "/offline/waiting", shoot: "/shoot/", uploads: [], leaving: ["/account/logout/"] },
};

/** Sets up both; what the worker tells a tab comes back as `told`. */
export function aWorker(): { told: string[] } {
  const told: string[] = [];
  vi.stubGlobal("IMODEL", FACTS);
  vi.stubGlobal("caches", new Shelves());
  vi.stubGlobal("clients", { get: async () => ({ postMessage: ({ type }: { type: string }) => told.push(type) }) });
  let line: Promise<unknown> = Promise.resolve();
  const request = (_name: string, work: () => Promise<unknown>) => (line = line.then(work, work));
  Object.defineProperty(navigator, "locks", { value: { request }, configurable: true });
  return { told };
}

/** A fetch event, and a promise of all that it waits for, after which it is over. */
export function asking(url: string): { event: FetchEvent; done: () => Promise<unknown> } {
  const waits: Promise<unknown>[] = [];
  const request = { url: new URL(url, "http://localhost").href, cache: "default" };
  let over = false;
  const waitUntil = (it: Promise<unknown>) => {
    if (over) throw new DOMException("The event is over.", "InvalidStateError");
    waits.push(it);
  };
  const event = { request, preloadResponse: Promise.resolve(undefined), resultingClientId: "tab", waitUntil };
  const done = async () => {
    for (const it of waits) await it; // grows while it is awaited
    over = true;
  };
  return { event: event as unknown as FetchEvent, done };
}
