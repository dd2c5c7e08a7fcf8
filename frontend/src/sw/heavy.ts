// Runtime and weights of the islands, megabytes each: fetched once somebody is signed in, kept until a new version names others.
import { HEAVY } from "./keeping";

export const isHeavy = (url: string): boolean => /\.(?:wasm|onnx)$/.test(url);

/** Fetch what is missing, drop what is not named any more. One at a time: a second tab's finds everything there. */
export async function fetchHeavy(wanted: string[]): Promise<void> {
  await navigator.locks.request("imodel-heavy", () => update(wanted));
}

async function update(wanted: string[]): Promise<void> {
  const cache = await caches.open(HEAVY);
  const here = (await cache.keys()).map((request) => new URL(request.url).pathname);
  await Promise.all(here.filter((path) => !wanted.includes(path)).map((path) => cache.delete(path)));
  for (const path of wanted.filter((path) => !here.includes(path))) await cache.add(path); // one after another
}

export async function heavy(request: Request): Promise<Response> {
  const kept = await caches.match(request.url, { cacheName: HEAVY });
  return kept ?? fetch(request);
}

/** A person who saves data fetches them when they are used. */
export function mayFetch(): boolean {
  const connection = Reflect.get(navigator, "connection") as { saveData?: boolean } | undefined;
  return !connection?.saveData;
}
