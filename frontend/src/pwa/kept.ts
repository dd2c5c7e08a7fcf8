// Pages that the worker kept: what is special about one that is shown, and the list of them where nothing answers.
import { offer } from "./bars";
import { keptAt, moment, type Pwa } from "./page";
import { fill } from "../shared/words";

/** A kept page's form would carry the key of an order that may have been placed since: each gets one of its own. */
export function renewKeys(root: ParentNode = document): void {
  for (const field of root.querySelectorAll<HTMLInputElement>("input[name=once]")) field.value = crypto.randomUUID();
}

/** Whether the person has begun to do something here. */
export type Touched = () => boolean;

export function watchTouches(): Touched {
  let touched = false;
  // beforeunload: loading again would call off the way to another page.
  for (const kind of ["pointerdown", "keydown", "submit", "beforeunload"]) {
    window.addEventListener(kind, () => void (touched = true), { capture: true, once: true });
  }
  return () => touched;
}

/** The worker tells what it heard from the server after it had shown a kept page. */
export function listen(pwa: Pwa, touched: Touched): void {
  navigator.serviceWorker?.addEventListener("message", (event: MessageEvent<{ type: string; url?: string }>) => {
    if (event.data.url !== location.href.split("#")[0]) return;
    if (event.data.type === "offline") sayOld(pwa, touched);
    if (event.data.type === "changed") renew(pwa, touched);
  });
}

/** Whoever has begun to do something is asked; else the page is quietly the newer one. */
function renew(pwa: Pwa, touched: Touched): void {
  const take = () => location.reload();
  if (!touched()) take();
  else offer("changed", { words: pwa.words.changed ?? "", label: pwa.words.show_it ?? "", take });
}

/** A bar over the page, for as long as there is no connection. */
export function sayOld(pwa: Pwa, touched: Touched): void {
  const time = keptAt();
  if (time === null || document.querySelector(".offline-bar")) return;
  const bar = document.createElement("p");
  bar.className = "offline-bar";
  bar.setAttribute("role", "status");
  bar.textContent = fill(pwa.words.no_line ?? "", { when: moment(time) });
  document.querySelector("main")?.prepend(bar);
  window.addEventListener("online", () => renew(pwa, touched), { once: true });
}

/** The list on the page without a connection: titles and times, newest first. */
export async function listKept(list: Element, owner: string, pwa: Pwa): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith("imodel:pages:") && name.endsWith(`:${owner}`));
  const found = await Promise.all(names.map(readPages));
  const pages = found.flat().sort((one, other) => other.asked - one.asked);
  list.replaceChildren(...pages.map(entry));
  if (!pages.length) list.append(Object.assign(document.createElement("li"), { textContent: pwa.words.nothing_kept ?? "" }));
}

interface Page {
  url: string;
  title: string;
  asked: number;
}

async function readPages(name: string): Promise<Page[]> {
  const cache = await caches.open(name);
  const pages = await Promise.all((await cache.keys()).map(async ({ url }) => ({ url, kept: await cache.match(url) })));
  return pages.map(({ url, kept }) => ({
    url,
    title: decodeURIComponent(kept?.headers.get("X-Title") ?? "") || new URL(url).pathname,
    asked: Number(kept?.headers.get("X-Asked")),
  }));
}

function entry({ url, title, asked }: Page): HTMLElement {
  const [item, link, when] = [document.createElement("li"), document.createElement("a"), document.createElement("span")];
  link.href = url;
  link.textContent = title;
  when.className = "muted num";
  when.textContent = moment(asked);
  item.append(link, when);
  return item;
}
