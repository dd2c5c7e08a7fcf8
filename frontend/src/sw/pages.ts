// Pages of whoever is signed in. A page seen before is shown at once and asked for behind it, unless something was sent since,
// or it follows a job, or it is a reload. Where nothing answers, a kept page stands in; else the designed page.
import { matchPrecache } from "workbox-precaching";
import { type Account, type Owner, ownerOf } from "../shared/account";
import { type Facts, worker } from "./facts";
import { dataOf, essence, isLive, isTrouble, type Kept, marked, mayShowFirst, pagesOf, titleOf, unsigned } from "./keeping";
import { noteAccount, remembered, untilForgotten } from "./memory";

const PATIENCE = 6000; // ms without an answer after which a kept page stands in
const MOST_PAGES = 80;
const MOST_DATA = 60;

/** GET of a page. */
export async function page(event: FetchEvent): Promise<Response> {
  const asked = Date.now(); // before anything is awaited: a sign-out may come in between
  const memory = await remembered();
  const kept = await find(event.request, memory.account);
  const reload = event.request.cache === "reload" || event.request.cache === "no-cache";
  if (kept && !reload && mayShowFirst(factsOf(kept), { ...memory, time: Date.now() })) {
    event.waitUntil(refresh(event, kept.clone(), asked));
    return kept;
  }
  return fromServer(event, kept, asked);
}

async function fromServer(event: FetchEvent, kept: Response | undefined, asked: number): Promise<Response> {
  const coming = answerTo(event);
  try {
    const answer = await (kept ? Promise.race([coming, silence()]) : coming);
    if (kept && isTrouble(answer.status)) return inItsPlace(event, kept);
    return (await take(event, answer, asked)) ? answer : await fetch(event.request);
  } catch {
    event.waitUntil(coming.then((late) => take(event, late, asked)).catch(() => undefined));
    return kept ? inItsPlace(event, kept) : without("offline");
  }
}

function inItsPlace(event: FetchEvent, kept: Response): Response {
  event.waitUntil(tell(event, "offline"));
  return kept;
}

/** The answer that the browser began to fetch while it woke this worker, or our own request. */
async function answerTo(event: FetchEvent): Promise<Response> {
  const begun = (await event.preloadResponse) as Response | undefined;
  return begun ?? fetch(event.request);
}

function silence(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE));
}

/** Behind a page that is shown: fetch it, and tell the tab when it shows something else by now. */
async function refresh(event: FetchEvent, shown: Response, asked: number): Promise<void> {
  try {
    const answer = await answerTo(event);
    if (isTrouble(answer.status)) return await tell(event, "offline");
    const text = answer.status === 200 ? await answer.clone().text() : "";
    await take(event, answer, asked);
    const before = essence(await shown.text()).replace(/<meta name="kept"[^>]*>/, "");
    if (answer.type === "opaqueredirect" || essence(unsigned(text)) !== before) await tell(event, "changed");
  } catch {
    await tell(event, "offline");
  }
}

async function tell(event: FetchEvent, type: string): Promise<void> {
  const tab = await worker.clients.get(event.resultingClientId);
  tab?.postMessage({ type, url: event.request.url });
}

/** Hear for whom it was made, before anybody sees it; and keep a copy where the server allows. False for one that was made for
 * somebody who has left since. */
async function take(event: FetchEvent, answer: Response, asked: number): Promise<boolean> {
  const account = answer.headers.get("X-Account");
  if (!(await noteAccount(account, asked))) return false;
  const mine = ownerOf(account);
  if (mine && account && answer.headers.get("X-Keep") === "page") {
    event.waitUntil(keep(event.request.url, answer.clone(), account, mine, asked));
  }
  return true;
}

async function keep(url: string, answer: Response, account: Account, mine: Owner, asked: number): Promise<void> {
  const left = untilForgotten();
  const html = unsigned(await answer.text());
  const headers = new Headers(answer.headers);
  for (const name of ["Content-Encoding", "Content-Length", "Transfer-Encoding"]) headers.delete(name);
  headers.set("X-Asked", String(asked));
  headers.set("X-Title", encodeURIComponent(titleOf(html)));
  if (isLive(html)) headers.set("X-Live", "1");
  if ((await remembered()).account !== account || left.aborted) return; // signed out while it came
  const cache = await caches.open(pagesOf(worker.IMODEL.version, mine));
  await cache.delete(url); // so that the newest stands last
  await cache.put(url, new Response(marked(html, asked), { headers }));
  await shorten(cache, MOST_PAGES);
}

function factsOf(kept: Response): Kept {
  const { headers } = kept;
  return {
    account: headers.get("X-Account") ?? "",
    asked: Number(headers.get("X-Asked")),
    live: headers.has("X-Live"),
  };
}

async function find(request: Request, account: Account): Promise<Response | undefined> {
  const mine = ownerOf(account);
  if (!mine) return undefined;
  const name = pagesOf(worker.IMODEL.version, mine);
  return (await caches.has(name)) ? (await caches.open(name)).match(request.url) : undefined;
}

async function shorten(cache: Cache, most: number): Promise<void> {
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((key) => cache.delete(key)));
}

// --- where nothing answers ------------------------------------------------------------------------------------------
/** The designed page, in the language and theme of the last tab that said hello. */
export async function without(what: keyof Facts["pages"]): Promise<Response> {
  const { language, theme } = await remembered();
  const pages = worker.IMODEL.pages[what];
  const url = pages[language] ?? Object.values(pages)[0] ?? "";
  const found = await matchPrecache(url);
  if (!found) return Response.error();
  const dark = theme === "dark" || theme === "light" ? ` data-theme="${theme}"` : "";
  const html = (await found.text()).replace("<html", `<html${dark}`);
  return new Response(html, { headers: found.headers });
}

// --- answers to scripts ---------------------------------------------------------------------------------------------
/** From the server; where nothing answers, what it said last. Only what the server marks is kept. */
export async function data(event: FetchEvent): Promise<Response> {
  const asked = Date.now();
  const { account } = await remembered();
  const mine = ownerOf(account);
  try {
    const answer = await fetch(event.request);
    if (mine && answer.status === 200 && answer.headers.get("X-Keep") === "data") {
      event.waitUntil(keepData(event.request.url, answer.clone(), mine, asked));
    }
    return answer;
  } catch (error) {
    const kept = mine ? await (await caches.open(dataOf(worker.IMODEL.version, mine))).match(event.request.url) : undefined;
    if (kept) return kept;
    throw error;
  }
}

async function keepData(url: string, answer: Response, mine: Owner, asked: number): Promise<void> {
  const account = answer.headers.get("X-Account");
  if (!(await noteAccount(account, asked)) || ownerOf(account) !== mine) return;
  const left = untilForgotten();
  const json = (answer.headers.get("Content-Type") ?? "").includes("json");
  const body = json ? unsigned(await answer.text()) : await answer.blob();
  const headers = new Headers(answer.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);
  if (left.aborted) return; // signed out while it came
  const cache = await caches.open(dataOf(worker.IMODEL.version, mine));
  await cache.delete(url);
  await cache.put(url, new Response(body, { headers }));
  await shorten(cache, MOST_DATA);
}
