import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { database, drafts, forget, owners, type Waiting } from "./db";
import { cancel, type Change, enqueue, fieldsOf, flush, LONGEST, outcomeOf, putInLine, requestOf, type Sender, waiting, within } from "./queue";

const OWNER = `${"a".repeat(32)}.${"b".repeat(32)}`;
const OTHER = `${"c".repeat(32)}.${"b".repeat(32)}`;
const isThere = (owner: string, tell: (change: Change) => void = () => undefined): Sender => ({
  there: async () => ({ account: `${owner}.${"0".repeat(12)}`, csrf: "token" }),
  tell,
  stop: new AbortController().signal,
});
const json = (status: number, value: unknown) => new Response(JSON.stringify(value), { status });
const form = (once: string, persona = "mia"): Waiting["fields"] => [["once", once, ""], ["persona", persona, ""]];

/** happy-dom has no Web Locks: one at a time, in the order of asking, as a browser does. */
let line: Promise<unknown> = Promise.resolve();
const locks = {
  request: (_name: string, work: () => Promise<unknown>) => (line = line.then(work, work)),
};

beforeEach(() => {
  Object.defineProperty(navigator, "locks", { value: locks, configurable: true });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const owner of await owners()) await forget(owner);
});

function server(...answers: (Response | Error)[]) {
  const asked: { url: string; init: RequestInit }[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push({ url, init });
    const answer = answers.shift() ?? json(500, {});
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return asked;
}

describe("what waits", () => {
  it("is the form without its token, and goes with a fresh one", async () => {
    const given = new FormData();
    given.set("csrfmiddlewaretoken", "old");
    given.set("once", "k1");
    given.set("mask", new File([], "")); // no file chosen
    const item = await enqueue(OWNER, "shoot", "/shoot/", fieldsOf(given));
    const { body, headers } = requestOf(item, "fresh") as { body: FormData; headers: Record<string, string> };
    expect(body.has("csrfmiddlewaretoken")).toBe(false);
    expect(headers["X-CSRFToken"]).toBe("fresh");
    expect([...body.keys()]).toEqual(["once"]);
    expect(body.get("once")).toBe("k1");
  });
  it("is one when the same form is sent twice, two when another has the same key", async () => {
    await enqueue(OWNER, "shoot", "/shoot/", form("k1"));
    await enqueue(OWNER, "shoot", "/shoot/", form("k1"));
    await enqueue(OWNER, "shoot", "/shoot/", form("k1", "zoe"));
    const items = await waiting(OWNER);
    expect(items.map((item) => item.fields.find(([name]) => name === "persona")?.[1])).toEqual(["mia", "zoe"]);
    expect(new Set(items.map((item) => item.once)).size).toBe(2);
    expect(items[1]?.fields.filter(([name]) => name === "once")).toEqual([["once", items[1]?.once, ""]]);
  });
  it("goes once and leaves, in the order in which it came", async () => {
    await enqueue(OWNER, "shoot", "/shoot/", form("k1"));
    await enqueue(OWNER, "shoot", "/shoot/", form("k2"));
    const asked = server(json(200, {}), json(200, {}));
    const told: Change[] = [];
    await Promise.all([flush(OWNER, isThere(OWNER, (it) => told.push(it))), flush(OWNER, isThere(OWNER, (it) => told.push(it)))]);
    expect(asked.map(({ init }) => (init.body as FormData).get("once"))).toEqual(["k1", "k2"]);
    expect(told.map((change) => change.what)).toEqual(["sent", "sent"]);
    expect(await waiting(OWNER)).toEqual([]);
  });
  it("is sent again under the same key when the answer was lost", async () => {
    await enqueue(OWNER, "shoot", "/shoot/", form("k1"));
    const asked = server(new TypeError("network"), json(200, {}));
    await flush(OWNER, isThere(OWNER));
    expect(await waiting(OWNER)).toHaveLength(1);
    await flush(OWNER, isThere(OWNER));
    expect(asked.map(({ init }) => (init.body as FormData).get("once"))).toEqual(["k1", "k1"]);
  });
  it("stays unsent while somebody else is signed in", async () => {
    await enqueue(OWNER, "shoot", "/shoot/", form("k1"));
    const asked = server();
    await flush(OWNER, isThere(OTHER));
    await flush(OWNER, { ...isThere(OWNER), there: async () => ({ account: "-", csrf: "" }) });
    expect(asked).toEqual([]);
    expect(await waiting(OWNER)).toHaveLength(1);
  });
  it("keeps the server's reason when it is refused, and lets the next one go", async () => {
    await enqueue(OWNER, "shoot", "/shoot/", form("k1"));
    await enqueue(OWNER, "shoot", "/shoot/", form("k2"));
    server(json(400, { error: { code: "credits_short", message: "Too few credits." } }), json(200, {}));
    const told: Change[] = [];
    await flush(OWNER, isThere(OWNER, (it) => told.push(it)));
    const kept = (await waiting(OWNER)).map(({ once, status, code, said }) => [once, status, code, said]);
    expect(kept).toEqual([["k1", "refused", "credits_short", "Too few credits."]]);
    expect(told.map(({ what, item }) => [what, item.code, item.said])).toEqual([
      ["refused", "credits_short", "Too few credits."],
      ["sent", "", ""],
    ]);
  });
  it("does not hold up the next one while it gets no answer yet", async () => {
    for (const key of ["k1", "k2", "k3"]) await enqueue(OWNER, "shoot", "/shoot/", form(key));
    server(json(502, {}), new TypeError("timeout"), json(200, {}));
    await flush(OWNER, isThere(OWNER));
    expect((await waiting(OWNER)).map(({ once, status }) => [once, status])).toEqual([["k1", "waiting"], ["k2", "waiting"]]);
  });
  it("all waits while nothing says who is there", async () => {
    await enqueue(OWNER, "shoot", "/shoot/", form("k1"));
    const asked = server(json(200, {}));
    await flush(OWNER, { ...isThere(OWNER), there: () => Promise.reject(new TypeError("network")) });
    expect([asked.length, (await waiting(OWNER)).length]).toEqual([0, 1]);
  });
  it("is called off with its owner, and its answer brings nobody's database back", async () => {
    await enqueue(OWNER, "shoot", "/shoot/", form("k1"));
    const forgotten = new AbortController();
    const calledOff: (boolean | undefined)[] = [];
    vi.stubGlobal("fetch", async (_url: string, { signal }: RequestInit) => {
      forgotten.abort();
      await forget(OWNER);
      calledOff.push(signal?.aborted);
      return json(400, { error: { code: "not_an_image", message: "No." } });
    });
    await flush(OWNER, { ...isThere(OWNER), stop: forgotten.signal });
    await flush(OWNER, { ...isThere(OWNER), stop: forgotten.signal });
    expect([calledOff, await owners()]).toEqual([[true], []]);
  });
  it("of a photo that arrived leaves no draft of it behind", async () => {
    await drafts.put(OWNER, "mask/new-1", {});
    await drafts.put(OWNER, "mask/new-2", {});
    await enqueue(OWNER, "upload", "/shoot/upload", [["local", "new-1", ""]]);
    server(json(200, {}));
    await flush(OWNER, isThere(OWNER));
    expect(await drafts.keys(OWNER)).toEqual(["mask/new-2"]);
  });
  it("is told to every tab without its bytes, and asks to be woken", async () => {
    const woken: string[] = [];
    vi.stubGlobal("registration", { sync: { register: async (tag: string) => void woken.push(tag) } });
    const tab = new BroadcastChannel("imodel");
    const heard = new Promise<MessageEvent>((hear) => tab.addEventListener("message", hear, { once: true }));
    const item = await putInLine(OWNER, "upload", "/shoot/upload", [["photos", new Blob(["x"]), "coat.jpg"]]);
    const { type, change } = (await heard).data as { type: string; change: Change };
    tab.close();
    expect([type, change.what, change.item.name, change.item.fields]).toEqual(["queue", "waiting", "coat.jpg", []]);
    expect([woken, (await waiting(OWNER)).map(({ id }) => id)]).toEqual([["imodel-queue"], [item.id]]);
  });
  it("has so much time for its answer and no more", () => {
    vi.useFakeTimers();
    const signal = within(1000, new AbortController().signal);
    vi.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
    vi.useRealTimers();
  });
  it("can be cancelled, and then is not sent", async () => {
    const item = await enqueue(OWNER, "upload", "/shoot/upload", [["photos", new Blob(["x"]), "coat.jpg"]]);
    expect(item.name).toBe("coat.jpg");
    expect(await cancel(OWNER, item.id)).toBe(true);
    expect(await cancel(OWNER, item.id)).toBe(false);
    const asked = server();
    await flush(OWNER, isThere(OWNER));
    expect(asked).toEqual([]);
  });
  it("is not sent when it waited longer than a week", async () => {
    const item = await enqueue(OWNER, "shoot", "/shoot/", form("k1"));
    await (await database(OWNER)).put("queue", { ...item, made: Date.now() - LONGEST - 1 });
    const asked = server();
    await flush(OWNER, isThere(OWNER));
    expect([asked.length, (await waiting(OWNER))[0]?.status]).toEqual([0, "refused"]);
  });
});

describe("an answer", () => {
  it.each([500, 502, 429, 401, 403])("of %i is no answer yet", async (status) => {
    expect(await outcomeOf(json(status, {}))).toEqual({ sent: false, again: true });
  });
  it("that is a sign-in page is none either", async () => {
    const answer = new Response("<form>", { status: 200 });
    Object.defineProperties(answer, { redirected: { value: true }, url: { value: "http://localhost/account/login/?next=/" } });
    expect(await outcomeOf(answer)).toEqual({ sent: false, again: true });
  });
  it("that is the form again is refused in its words", async () => {
    const page = '<ul class="errorlist" id="e"><li>Choose a photo.</li></ul>';
    expect(await outcomeOf(new Response(page, { status: 422 }))).toEqual({ sent: false, again: false, code: "", said: "Choose a photo." });
  });
});

describe("an owner's database", () => {
  it("is theirs alone and is gone when they are forgotten, open or not", async () => {
    await drafts.put(OWNER, "mask/1", { clicks: [1] });
    await drafts.put(OTHER, "mask/1", { clicks: [2] });
    expect(await drafts.get(OWNER, "mask/1")).toEqual({ clicks: [1] });
    await forget(OWNER);
    expect(await owners()).toEqual([OTHER]);
    expect(await drafts.get(OWNER, "mask/1")).toBeUndefined();
  });
});
