import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { forget, owners } from "../shared/db";
import { enqueue } from "../shared/queue";
import { askBeforeLeaving } from "./leaving";
import type { Pwa } from "./page";
import { countWaiting, showWaiting } from "./waiting";

const OWNER = `${"a".repeat(32)}.${"b".repeat(32)}`;
const WORDS = {
  upload: "Photo %(name)s", cancel: "Cancel", cancel_what: "Cancel: %(what)s", waits_for_owner: "%(count)s waiting",
  drop_waiting: "Sign out?", drop_switch_waiting: "Change?",
};
const PWA: Pwa = { account: "", worker: "", state: "", leaving: ["/account/logout/", "/shops/switch"], words: WORDS };

beforeEach(() => {
  const locks = { request: async (_name: string, work: () => unknown) => work() };
  Object.defineProperty(navigator, "locks", { value: locks, configurable: true });
  document.body.innerHTML = `<main tabindex="-1"><section data-hide-empty hidden><ul data-waiting-list></ul></section></main>
    <form action="/shops/switch"><button></button></form><form action="/catalog/"><button></button></form>`;
});
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const owner of await owners()) await forget(owner);
});

const photo = (name: string) => enqueue(OWNER, "upload", "/shoot/upload", [["photos", new Blob(["x"]), name]]);
const buttons = () => [...document.querySelectorAll<HTMLButtonElement>("[data-waiting-list] button")];
const focused = () => document.activeElement?.getAttribute("aria-label");

describe("the list of what waits", () => {
  it("keeps a keyboard where it was when one is cancelled", async () => {
    for (const name of ["one.jpg", "two.jpg", "three.jpg"]) await photo(name);
    showWaiting(OWNER, WORDS);
    await vi.waitFor(() => expect(buttons()).toHaveLength(3));
    for (const [left, next] of [[2, "Cancel: Photo three.jpg"], [1, "Cancel: Photo one.jpg"]] as const) {
      buttons()[1]?.focus();
      buttons()[1]?.click();
      await vi.waitFor(() => expect(buttons()).toHaveLength(left));
      expect(focused()).toBe(next);
    }
    buttons()[0]?.focus();
    buttons()[0]?.click();
    await vi.waitFor(() => expect(buttons()).toHaveLength(0));
    expect(document.activeElement?.tagName).toBe("MAIN");
  });
  it("where the session ended shows how many, no names, and nothing to press", async () => {
    await photo("secret.jpg");
    await photo("other.jpg");
    await countWaiting(WORDS);
    expect(document.querySelector("[data-waiting-list]")?.textContent).toBe("2 waiting");
    expect([buttons().length, document.querySelector("section")?.hidden]).toEqual([0, false]);
  });
  it("is empty, and says nothing else, where the browser refuses storage", async () => {
    vi.stubGlobal("indexedDB", { databases: () => Promise.reject(new DOMException("no", "SecurityError")) });
    await countWaiting(WORDS);
    expect(document.querySelector("[data-waiting-list]")?.textContent).toBe("");
  });
});

describe("a form after which somebody else is there", () => {
  const words = async (place: number) => {
    const form = document.forms[place] as HTMLFormElement;
    askBeforeLeaving(OWNER, PWA);
    const goesOn = new Promise((go) => (form.requestSubmit = () => go(form.dataset.confirm ?? "")));
    return form.dispatchEvent(new SubmitEvent("submit", { cancelable: true })) ? "sent at once" : goesOn;
  };
  it("asks first while something waits", async () => {
    await photo("one.jpg");
    expect(await words(0)).toBe("Change?");
  });
  it("asks nothing while nothing does", async () => expect(await words(0)).toBe(""));
  it("is no other form", async () => {
    await photo("one.jpg");
    expect(await words(1)).toBe("sent at once");
  });
});
