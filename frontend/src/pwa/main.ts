// On every page: the service worker, what waits to be sent, what must be forgotten.
import { ownerOf } from "../shared/account";
import { remembered } from "../sw/memory";
import { offerInstall } from "./install";
import { keptAt, type Pwa, readPwa } from "./page";
import { listen, listKept, renewKeys, sayOld, watchTouches } from "./kept";
import { askBeforeLeaving } from "./leaving";
import { guard } from "./privacy";
import { countWaiting, sendNow, showWaiting } from "./waiting";
import { startWorker } from "./worker";

function start(pwa: Pwa): void {
  startWorker(pwa);
  guard(pwa);
  const touched = watchTouches();
  listen(pwa, touched);
  offerInstall(pwa.words);
  if (keptAt() !== null) renewKeys();
  if (!navigator.onLine) sayOld(pwa, touched);
  const owner = ownerOf(pwa.account);
  if (owner) {
    showWaiting(owner, pwa.words);
    askBeforeLeaving(owner, pwa);
  } else void withoutLine(pwa);
}

/** The pages that are kept for everybody: names and lists only for whom the worker knew last, who is still signed in. */
async function withoutLine(pwa: Pwa): Promise<void> {
  const page = document.querySelector<HTMLElement>("[data-offline]");
  if (!page) return;
  page.querySelector("[data-again]")?.addEventListener("click", () => again(page));
  if (page.dataset.offline !== "stayed") window.addEventListener("online", () => again(page));
  const owner = await remembered().then(({ account }) => ownerOf(account), () => null);
  if (!owner) return countWaiting(pwa.words);
  showWaiting(owner, pwa.words);
  const list = page.querySelector("[data-kept-pages]");
  if (list) await listKept(list, owner, pwa);
}

function again(page: HTMLElement): void {
  if (page.dataset.offline === "waiting") sendNow();
  else if (page.dataset.offline === "stayed") history.back(); // a reload would send the form again
  else location.reload();
}

const pwa = readPwa();
if (pwa) start(pwa);
