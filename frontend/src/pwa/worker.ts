// The worker's life, seen from a page: registered, greeted, and replaced only when the person agrees.
import { offer } from "./bars";
import { keptAt, type Pwa } from "./page";

const EVERY = 3600 * 1000; // ms between two looks for a new version while a page stays open

export function startWorker(pwa: Pwa): void {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  if (!pwa.worker) return void takeLeave(pwa);
  // A sign-out in another tab unregisters at the same moment: the next page registers again.
  const begin = () => void register(pwa).catch(() => undefined);
  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin, { once: true }); // the page's own files come first
}

/** While DEBUG a worker from before would serve old files. The kept-for-everybody pages have no address and change nothing. */
async function takeLeave(pwa: Pwa): Promise<void> {
  if (!pwa.account) return;
  const found = await navigator.serviceWorker.getRegistrations();
  await Promise.all(found.map((registration) => registration.unregister()));
}

async function register(pwa: Pwa): Promise<void> {
  const registration = await navigator.serviceWorker.register(pwa.worker, { scope: "/", updateViaCache: "none" });
  watch(registration, pwa);
  const ready = await navigator.serviceWorker.ready;
  greet(ready, pwa);
  const redrawn = new MutationObserver(() => ready.active?.postMessage({ type: "redrawn", ...look() }));
  redrawn.observe(document.documentElement, { attributeFilter: ["data-theme"] }); // js/theme.js sends no form
  setInterval(() => void registration.update().catch(() => undefined), EVERY);
}

function greet(registration: ServiceWorkerRegistration, pwa: Pwa): void {
  const alone = navigator.serviceWorker.controller === null;
  const asked = keptAt() === null ? askedAt() : 0;
  registration.active?.postMessage({ type: "hello", account: pwa.account, asked, alone, ...look() });
}

/** When the server was asked for this page, ms since 1970; a form before it and its redirect do not count. */
function askedAt(): number {
  const [way] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return Date.now() - (performance.now() - (way?.fetchStart ?? 0)); // timeOrigin falls behind the clock while a machine sleeps
}

function look(): { language: string; theme: string } {
  const { lang, dataset } = document.documentElement;
  return { language: lang, theme: dataset.theme ?? "" };
}

function watch(registration: ServiceWorkerRegistration, pwa: Pwa): void {
  const ask = () => {
    if (registration.waiting && navigator.serviceWorker.controller) propose(registration, pwa);
  };
  ask();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", ask));
}

/** Only the tab that agrees loads again: another one may hold a half-drawn mask. */
function propose(registration: ServiceWorkerRegistration, pwa: Pwa): void {
  const take = () => {
    if (!registration.waiting) return location.reload(); // another tab agreed before
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    registration.waiting.postMessage({ type: "skip" });
  };
  offer("version", { words: pwa.words.new_version ?? "", label: pwa.words.load_it ?? "", take });
}
