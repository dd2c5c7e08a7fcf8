// Nobody sees what another one's session left: other tabs, pages from the back-forward cache, browsers without a worker.
import { NOBODY, ownerOf } from "../shared/account";
import { forget, owners } from "../shared/db";
import { getJson } from "../shared/api";
import type { There } from "../shared/queue";
import { isForeign } from "../sw/keeping";
import { keptAt, type Pwa } from "./page";

const PATIENCE = 10_000; // ms; a tab that is still here then did not go

export function guard(pwa: Pwa): void {
  if (!pwa.account) return;
  if (ownerOf(pwa.account)) followAccount(pwa);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) void verify(pwa);
  });
  if (keptAt() === null) void sweep(pwa).catch(() => undefined); // a browser that refuses storage keeps nothing
}

/** Pages of nobody's show nothing that would have to go. */
function followAccount(pwa: Pwa): void {
  let going = 0; // when this tab itself began to go elsewhere: a reload would call that off
  window.addEventListener("beforeunload", () => void (going = Date.now()));
  new BroadcastChannel("imodel").addEventListener("message", (event: MessageEvent<{ type: string; account?: string }>) => {
    if (event.data.type === "account" && Date.now() - going > PATIENCE) changed(pwa, event.data.account ?? NOBODY);
  });
}

/** Another tab signed out, in, or over to another merchant: what this one shows is not theirs. */
function changed(pwa: Pwa, account: string): void {
  if (ownerOf(account) !== ownerOf(pwa.account)) leave();
}

function leave(): void {
  document.body.replaceChildren();
  location.reload();
}

/** A page that comes back from the back-forward cache asks who is there now. */
async function verify(pwa: Pwa): Promise<void> {
  document.documentElement.classList.add("veiled");
  const there = await getJson<There>(null, pwa.state).catch(() => null);
  if (there && there.account !== pwa.account) return leave(); // another epoch as well: its forms would be refused
  document.documentElement.classList.remove("veiled");
}

/** Where a page came past the worker (a forced reload, a browser without one): the same wiping from here. */
async function sweep(pwa: Pwa): Promise<void> {
  const mine = ownerOf(pwa.account);
  const foreign = (await globalThis.caches?.keys() ?? []).filter((name) => isForeign(name, mine));
  await Promise.all(foreign.map((name) => caches.delete(name)));
  if (!mine) return;
  const others = (await owners()).filter((found) => found !== mine);
  await Promise.all(others.map(forget));
}
