import { beforeEach, describe, expect, it, vi } from "vitest";
import { database, drafts, forget, owners } from "../shared/db";
import { pagesOf } from "./keeping";
import { noteAccount, remember, remembered, untilForgotten, wipeAll } from "./memory";
import { data, page } from "./pages";
import { leave } from "./sending";
import { asking, aWorker } from "./testing";

const [A, B] = ["a", "b"].map((letter) => `${letter.repeat(32)}.${"f".repeat(32)}`) as [string, string];
const [ACCOUNT_A, ACCOUNT_B] = [`${A}.${"0".repeat(12)}`, `${B}.${"1".repeat(12)}`];
const html = (account: string, text = account, status = 200) =>
  new Response(`<html><head><title>${text}</title>`, { status, headers: { "X-Account": account, "X-Keep": "page" } });

let told: string[];
beforeEach(async () => {
  for (const owner of await owners()) await forget(owner);
  told = aWorker().told;
  await remember({ account: ACCOUNT_A, since: 0, wrote: 0 });
  await database(A);
});

/** Each answer once, by path; what is not named does not answer. */
function server(answers: Record<string, () => Response | Promise<Response>>) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (about: string | { url: string }) => {
    const path = new URL(typeof about === "string" ? about : about.url, "http://localhost").pathname;
    asked.push(path);
    const answer = answers[path];
    if (!answer) throw new TypeError("network");
    return answer();
  });
  return asked;
}

async function keepPage(): Promise<void> {
  server({ "/catalog/": () => html(ACCOUNT_A, "kept") });
  const { event, done } = asking("/catalog/");
  await page(event);
  await done();
}

describe("a sign-out", () => {
  it.each([["nothing", {}], ["a proxy", { "/pwa/state": () => new Response("<h1>Bad gateway", { status: 502 }) }]])(
    "forgets nothing while %s answers, and is not sent", async (_, answers) => {
      await drafts.put(A, "mask/1", { clicks: [1] });
      await keepPage();
      const asked = server(answers);
      await leave(asking("/account/logout/").event);
      expect(asked).toEqual(["/pwa/state"]);
      expect(await drafts.get(A, "mask/1")).toEqual({ clicks: [1] });
      expect([await caches.keys(), (await remembered()).account]).toEqual([[pagesOf("v1", A)], ACCOUNT_A]);
    });
  it("forgets everything before the server hears of it", async () => {
    await keepPage();
    const found: unknown[] = [];
    server({
      "/pwa/state": () => Response.json({ account: ACCOUNT_A, csrf: "t" }),
      "/account/logout/": async () => {
        found.push(await caches.keys(), await owners());
        return new Response("bye");
      },
    });
    expect(await (await leave(asking("/account/logout/").event)).text()).toBe("bye");
    expect(found).toEqual([[], []]);
  });
  it("stops whatever still writes for who left", async () => {
    const left = untilForgotten();
    await wipeAll();
    expect([left.aborted, untilForgotten().aborted]).toEqual([true, false]);
  });
});

describe("an answer from before a change", () => {
  it("says nothing about who is there now", async () => {
    const asked = Date.now();
    await remember({ account: ACCOUNT_B, since: asked + 5 });
    await database(B);
    expect(await noteAccount(ACCOUNT_A, asked)).toBe(false);
    expect([(await remembered()).account, await owners()]).toEqual([ACCOUNT_B, [A, B]]);
    expect(await noteAccount(ACCOUNT_A, asked + 5)).toBe(true);
    expect([(await remembered()).account, await owners()]).toEqual([ACCOUNT_A, [A]]);
  });
  it("is not kept; the page is asked for again", async () => {
    const answers = [html(ACCOUNT_A), html(ACCOUNT_B, "now")];
    server({
      "/catalog/": async () => {
        await remember({ account: ACCOUNT_B, since: Date.now() + 60_000 });
        return answers.shift() as Response;
      },
    });
    const { event, done } = asking("/catalog/");
    expect(await (await page(event)).text()).toContain("now");
    await done();
    expect([(await remembered()).account, await caches.keys()]).toEqual([ACCOUNT_B, []]);
  });
  it("to a script is not kept either", async () => {
    server({
      "/catalog/1/cut/state": async () => {
        await remember({ account: ACCOUNT_B, since: Date.now() + 60_000 });
        return Response.json({}, { headers: { "X-Account": ACCOUNT_A, "X-Keep": "data" } });
      },
    });
    const { event, done } = asking("/catalog/1/cut/state");
    await data(event);
    await done();
    expect([(await remembered()).account, await caches.keys()]).toEqual([ACCOUNT_B, []]);
  });
});

describe("behind a kept page", () => {
  it.each([502, 503, 429])("an answer of %i changes nothing", async (status) => {
    await keepPage();
    server({ "/catalog/": () => new Response("trouble", { status }) });
    const shown = asking("/catalog/");
    expect(await (await page(shown.event)).text()).toContain("kept");
    await shown.done();
    expect(told).toEqual(["offline"]);
  });
  it("nor where it is asked for first", async () => {
    await keepPage();
    await remember({ wrote: Date.now() });
    server({ "/catalog/": () => new Response("trouble", { status: 502 }) });
    const shown = asking("/catalog/");
    expect(await (await page(shown.event)).text()).toContain("kept");
    await shown.done();
    expect(told).toEqual(["offline"]);
  });
  it("one that comes after a person lost patience is kept for the next time", async () => {
    await keepPage();
    await remember({ wrote: Date.now() });
    let answer: (it: Response) => void = () => undefined;
    server({ "/catalog/": () => new Promise((come) => (answer = come)) });
    const patience = vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void) => (run(), 0)) as typeof setTimeout);
    const { event, done } = asking("/catalog/");
    const shown = await (await page(event)).text();
    patience.mockRestore();
    const over = done();
    await new Promise((go) => setTimeout(go)); // a page that waited for nothing more would be over by now
    answer(html(ACCOUNT_A, "late"));
    await over;
    const kept = await (await caches.open(pagesOf("v1", A))).match("/catalog/");
    expect([shown.includes("kept"), (await kept?.text())?.includes("late")]).toEqual([true, true]);
  });
  it.each([200, 404])("one of %i that differs is told", async (status) => {
    await keepPage();
    server({ "/catalog/": () => html(ACCOUNT_A, "other", status) });
    const shown = asking("/catalog/");
    await page(shown.event);
    await shown.done();
    expect(told).toEqual(["changed"]);
  });
});
