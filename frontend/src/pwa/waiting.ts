// What waits to be sent: a chip in the top bar with a list, and the list on the pages without a connection.
import type { Owner } from "../shared/account";
import { owners, type Waiting } from "../shared/db";
import { toast } from "../shared/dom";
import { cancel, type Change, waiting } from "../shared/queue";
import { fill, type Words } from "../shared/words";
import { moment } from "./page";

export function showWaiting(owner: Owner, words: Words): void {
  const draw = () => void render(owner, words);
  draw();
  new BroadcastChannel("imodel").addEventListener("message", (event: MessageEvent<{ type: string; change?: Change }>) => {
    if (event.data.type !== "queue") return;
    draw();
    if (event.data.change) say(event.data.change, words);
  });
  window.addEventListener("online", sendNow);
  for (const button of document.querySelectorAll("[data-waiting-send]")) button.addEventListener("click", sendNow);
}

/** Background Sync does it where there is one; asking twice sends nothing twice. */
export function sendNow(): void {
  navigator.serviceWorker?.controller?.postMessage({ type: "send" });
}

/** Where the session ended, anybody may look: how much waits, of whomever, and nothing to cancel. */
export async function countWaiting(words: Words): Promise<void> {
  const lines = await owners().then((found) => Promise.all(found.map(waiting))).catch(() => []);
  const count = lines.flat().length;
  if (!count) return;
  for (const list of document.querySelectorAll<HTMLElement>("[data-waiting-list]")) {
    hideEmpty(list, count);
    list.replaceChildren(text("li", "muted", fill(words.waits_for_owner ?? "", { count })));
  }
}

async function render(owner: Owner, words: Words): Promise<void> {
  const items = await waiting(owner).catch(() => []); // a browser that refuses storage keeps nothing
  for (const chip of document.querySelectorAll<HTMLElement>("[data-waiting]")) chip.hidden = items.length === 0;
  for (const count of document.querySelectorAll("[data-waiting-count]")) count.textContent = String(items.length);
  for (const list of document.querySelectorAll<HTMLElement>("[data-waiting-list]")) fillList(list, items, owner, words);
}

function fillList(list: HTMLElement, items: Waiting[], owner: Owner, words: Words): void {
  hideEmpty(list, items.length);
  const place = [...list.children].findIndex((made) => made.contains(document.activeElement));
  const held = (list.children[place] as HTMLElement | undefined)?.dataset.id;
  list.replaceChildren(...items.map((item) => line(item, owner, words)));
  if (items.length === 0) list.append(text("li", "muted", words.nothing_waits ?? ""));
  if (place >= 0) focusIn(list, items.findIndex((item) => item.id === held), place);
}

function hideEmpty(list: HTMLElement, count: number): void {
  const section = list.closest<HTMLElement>("[data-hide-empty]");
  if (section) section.hidden = count === 0;
}

/** On the same item, else on what stands in its place now, else on the page: a keyboard goes on from there. */
function focusIn(list: HTMLElement, same: number, place: number): void {
  const buttons = list.querySelectorAll("button");
  const next = buttons[same >= 0 ? same : Math.min(place, buttons.length - 1)];
  (next ?? document.querySelector<HTMLElement>("main"))?.focus();
}

function line(item: Waiting, owner: Owner, words: Words): HTMLElement {
  const made = document.createElement("li");
  made.className = `waiting-item ${item.status}`;
  made.dataset.waitingItem = item.kind;
  made.dataset.id = item.id;
  const state = item.status === "refused" ? item.said || (words.failed ?? "") : (words.waiting ?? "");
  const since = fill(words.since ?? "", { when: moment(item.made) });
  const about = document.createElement("div");
  about.append(text("strong", "truncate", nameOf(item, words)), text("span", "muted", `${state} · ${since}`));
  made.append(about, cancelling(item, owner, words));
  return made;
}

function cancelling(item: Waiting, owner: Owner, words: Words): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button compact";
  button.textContent = words.cancel ?? "";
  button.setAttribute("aria-label", fill(words.cancel_what ?? "", { what: nameOf(item, words) }));
  button.addEventListener("click", () => void cancel(owner, item.id).catch(() => false).then(() => render(owner, words)));
  return button;
}

function text(tag: string, classes: string, words: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = classes;
  made.textContent = words;
  return made;
}

function nameOf(item: Waiting, words: Words): string {
  return fill(words[item.kind] ?? "", { name: item.name });
}

function say({ what, item }: Change, words: Words): void {
  const key = what === "waiting" ? "kept_for_later" : what;
  if (what === "cancelled") return;
  toast(fill(words[key] ?? "", { what: nameOf(item, words) }), what === "refused" ? "bad" : what === "sent" ? "good" : "warn");
}
