// Pictures, for when nothing answers. Kept under lasting addresses (the row and the variant), never under signed ones.
import { database } from "../shared/db";
import type { Owner } from "../shared/account";
import { fileAddress, filesOf, isFixed, tooMany } from "./keeping";
import { owner, untilForgotten } from "./memory";

const MOST = 600; // files of one merchant
const BYTES = 150 * 2 ** 20;
const LARGEST = 12 * 2 ** 20; // of one file

/** A picture: from here where a kept page names one that never changes, else from the server, else from here. */
export async function file(event: FetchEvent): Promise<Response> {
  const path = new URL(event.request.url).pathname;
  const address = fileAddress(path);
  const mine = await owner();
  if (!address || !mine || event.request.headers.has("Range")) return fetch(event.request);
  if (path === address && isFixed(address)) {
    const kept = await find(mine, address);
    if (kept) return kept;
  }
  return fromServer(event, mine, address);
}

async function fromServer(event: FetchEvent, mine: Owner, address: string): Promise<Response> {
  const left = untilForgotten();
  let answer: Response;
  try {
    answer = await fetch(event.request);
  } catch (error) {
    const kept = await find(mine, address);
    if (kept) return kept;
    throw error;
  }
  if (answer.status === 404) event.waitUntil(drop(mine, [address])); // withheld or deleted since
  if (answer.status === 200) event.waitUntil(keep(mine, address, answer.clone(), left));
  return answer;
}

async function find(mine: Owner, address: string): Promise<Response | undefined> {
  return (await caches.open(filesOf(mine))).match(address);
}

async function keep(mine: Owner, address: string, answer: Response, left: AbortSignal): Promise<void> {
  const body = await answer.blob();
  if (body.size > LARGEST || !body.type.startsWith("image/")) return;
  if (left.aborted) return; // signed out while it came
  const headers = { "Content-Type": body.type, "Cross-Origin-Resource-Policy": "same-origin" };
  await (await caches.open(filesOf(mine))).put(address, new Response(body, { headers }));
  if (left.aborted) return; // opening the database would make it again
  await (await database(mine)).put("files", { address, bytes: body.size, used: Date.now() });
  if (!left.aborted) await trim(mine);
}

async function trim(mine: Owner): Promise<void> {
  const all = await (await database(mine)).getAll("files");
  await drop(mine, tooMany(all, MOST, BYTES).map((found) => found.address));
}

async function drop(mine: Owner, addresses: string[]): Promise<void> {
  const [cache, db] = [await caches.open(filesOf(mine)), await database(mine)];
  await Promise.all(addresses.flatMap((address) => [cache.delete(address), db.delete("files", address)]));
}
