// The service worker (docs/frontend.md). It never takes over by itself: a page asks its person, and says "skip".
import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";
import { NOBODY } from "../shared/account";
import { type Entry, worker } from "./facts";
import { file } from "./files";
import { fetchHeavy, heavy, isHeavy, mayFetch } from "./heavy";
import { isOutdated } from "./keeping";
import { noteAccount, noteWriting, remember, remembered } from "./memory";
import { data, page, without } from "./pages";
import { kindOf, leave, sendAtWake, sendOrQueue, sendWaiting } from "./sending";

const { IMODEL } = worker;
const built = (self as unknown as { __WB_MANIFEST: Entry[] }).__WB_MANIFEST; // vite-plugin-pwa looks for this very name
const heavyFiles = [...built.map((entry) => entry.url).filter(isHeavy), ...IMODEL.heavy];
const shell: Entry[] = [
  ...built.filter((entry) => !isHeavy(entry.url)),
  ...IMODEL.shell.map((url) => ({ url, revision: null })),
  ...Object.values(IMODEL.pages).flatMap((page) => Object.values(page)).map((url) => ({ url, revision: IMODEL.revision })),
];
cleanupOutdatedCaches();

worker.addEventListener("fetch", (event) => {
  const answer = route(event);
  if (answer) event.respondWith(answer);
});

precacheAndRoute(shell, { cleanURLs: false, directoryIndex: "", ignoreURLParametersMatching: [] });

/** Who answers; null leaves it to the browser (static files that Workbox has, streams, everything not of ours). */
function route(event: FetchEvent): Promise<Response> | null {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (origin !== worker.location.origin || pathname === "/sw.js") return null;
  if (request.method !== "GET") return request.method === "HEAD" ? null : writing(event, pathname);
  if (pathname.startsWith(IMODEL.static)) return isHeavy(pathname) ? heavy(request) : null;
  if (pathname.startsWith("/media/")) return request.destination === "image" || request.destination === "" ? file(event) : null;
  if (pathname.startsWith("/offline/") && new URL(request.url).search) return null;
  if (request.mode === "navigate") return pathname === IMODEL.doors.waiting ? waitingPage(event) : page(event);
  const follows = (request.headers.get("Accept") ?? "").includes("text/event-stream");
  return follows || !/^\/(?:catalog|pictures|shoots|batches)\//.test(pathname) ? null : data(event);
}

function writing(event: FetchEvent, pathname: string): Promise<Response> | null {
  if (!/\/cut\/decode$/.test(pathname)) event.waitUntil(noteWriting());
  if (IMODEL.doors.leaving.includes(pathname)) return leave(event);
  const kind = kindOf(pathname);
  // While there is a line the browser sends photos itself: it can tell how far they are, we can't.
  return kind === null || (kind === "upload" && navigator.onLine) ? null : sendOrQueue(event, kind);
}

async function waitingPage(event: FetchEvent): Promise<Response> {
  try {
    return ((await event.preloadResponse) as Response | undefined) ?? (await fetch(event.request));
  } catch {
    return without("waiting");
  }
}

worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));

async function takeOver(): Promise<void> {
  const old = (await caches.keys()).filter((name) => isOutdated(name, IMODEL.version));
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.registration.navigationPreload?.enable();
  await worker.clients.claim();
}

worker.addEventListener("sync", (event) => (event as ExtendableEvent).waitUntil(sendAtWake()));

interface Said {
  type: "skip" | "send" | "hello" | "redrawn";
  account?: string;
  language?: string;
  theme?: string;
  /** When the page that says it was asked for, ms since 1970; 0 for one that was kept. */
  asked?: number;
  /** No worker serves the tab. */
  alone?: boolean;
}

worker.addEventListener("message", (event) => {
  const said = event.data as Said;
  if (said.type === "skip") void worker.skipWaiting();
  if (said.type === "send") event.waitUntil(sendWaiting());
  if (said.type === "hello") event.waitUntil(greet(said));
  if (said.type === "redrawn") event.waitUntil(remember({ theme: said.theme ?? "", wrote: Date.now() }));
});

/** A tab says whose page it shows; one that came from the server is believed. What waits goes before megabytes come. */
async function greet({ account: theirs, language = "", theme = "", asked = 0, alone }: Said): Promise<void> {
  // A navigation that began before this worker was active, and ended after its claim, belongs to none.
  if (alone) await worker.clients.claim();
  await remember({ language, theme });
  if (asked && theirs) await noteAccount(theirs, asked);
  await sendWaiting().catch(() => undefined);
  const { account } = await remembered();
  if (account !== NOBODY && mayFetch()) await fetchHeavy(heavyFiles).catch(() => undefined);
}
