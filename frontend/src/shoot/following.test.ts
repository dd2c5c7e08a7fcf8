// A page is told by events where the server has a place for it, and asks by itself where it has none.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Following } from "../../plain/js/following.js";

interface Told {
  stage: string;
  done?: boolean;
}

/** The browser's EventSource, played by hand. */
class Source {
  static readonly CLOSED = 2;
  static all: Source[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 0;

  constructor(readonly url: string) {
    Source.all.push(this);
  }

  close(): void {
    this.readyState = Source.CLOSED;
  }

  say(told: Told): void {
    this.onmessage?.({ data: JSON.stringify(told) });
  }

  fail(refused: boolean): void {
    if (refused) this.readyState = Source.CLOSED;
    this.onerror?.();
  }
}

function hidden(value: boolean): void {
  Object.defineProperty(document, "hidden", { value, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

const open: Following<Told>[] = [];

function follow(hear: (told: Told) => unknown = () => false, stream: string | undefined = "/stream"): Following<Told> {
  const found = new Following<Told>({ poll: "/poll", ...(stream ? { stream } : {}), hear, lost, first: 700, calm: 4000, slowest: 15000 });
  open.push(found);
  found.wake();
  return found;
}

const lost = vi.fn();
const fetched = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("fetch", fetched);
  fetched.mockImplementation(async () => Response.json({ stage: "asked" }, { headers: { ETag: '"one"' } }));
  Source.all = [];
});

afterEach(() => {
  for (const one of open.splice(0)) one.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  fetched.mockReset();
  lost.mockReset();
  hidden(false);
});

describe("by events", () => {
  test("each event is heard, and nothing is asked", async () => {
    const heard: string[] = [];
    follow((told) => void heard.push(told.stage));
    Source.all[0]?.say({ stage: "Waiting" });
    Source.all[0]?.say({ stage: "Painting" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(heard).toEqual(["Waiting", "Painting"]);
    expect(fetched).not.toHaveBeenCalled();
  });

  test("the last word closes the stream for good", async () => {
    follow((told) => told.done);
    Source.all[0]?.say({ stage: "Finished", done: true });
    await vi.advanceTimersByTimeAsync(60_000);
    window.dispatchEvent(new Event("online"));
    expect(Source.all.map((one) => one.readyState)).toEqual([Source.CLOSED]);
    expect(fetched).not.toHaveBeenCalled();
  });

  test("a hidden page holds no place, and takes one again when it is looked at", async () => {
    follow();
    Source.all[0]?.say({ stage: "Waiting" });
    hidden(true);
    expect(Source.all[0]?.readyState).toBe(Source.CLOSED);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fetched).not.toHaveBeenCalled();
    hidden(false);
    expect(Source.all).toHaveLength(2);
  });

  test("what fails while the page is hidden is heard, and said", async () => {
    follow(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw new Error("the cells did not come");
    });
    Source.all[0]?.say({ stage: "Painting" });
    hidden(true);
    await vi.advanceTimersByTimeAsync(200); // a rejection that nobody hears fails the run
    expect(lost).toHaveBeenLastCalledWith(true);
  });

  test("a dropped line is the browser's to mend, up to three times in a row", () => {
    follow();
    const [source] = Source.all;
    source?.fail(false);
    source?.fail(false);
    source?.say({ stage: "Waiting" });
    source?.fail(false);
    source?.fail(false);
    expect(fetched).not.toHaveBeenCalled();
    source?.fail(false);
    expect(fetched).toHaveBeenCalledOnce();
  });
});

describe("by asking", () => {
  test("a refused stream is not tried again", async () => {
    follow();
    Source.all[0]?.fail(true);
    await vi.advanceTimersByTimeAsync(10_000);
    hidden(true);
    hidden(false);
    expect(Source.all).toHaveLength(1);
    expect(fetched.mock.calls.length).toBeGreaterThan(3);
  });

  test("a stream that says nothing is taken for kept back", async () => {
    follow();
    await vi.advanceTimersByTimeAsync(8_000);
    expect(Source.all[0]?.readyState).toBe(Source.CLOSED);
    expect(fetched).toHaveBeenCalledOnce();
  });

  test("without an address or without EventSource there is only asking", () => {
    follow(() => false, "");
    vi.stubGlobal("EventSource", undefined);
    follow();
    expect(Source.all).toHaveLength(0);
    expect(fetched).toHaveBeenCalledTimes(2);
  });

  test("what is known is said, and an unchanged answer slows the questions down", async () => {
    follow(() => false, "");
    await vi.advanceTimersByTimeAsync(0);
    fetched.mockImplementation(async () => new Response(null, { status: 304 }));
    await vi.advanceTimersByTimeAsync(700);
    expect(fetched.mock.lastCall?.[1].headers).toMatchObject({ "If-None-Match": '"one"' });
    await vi.advanceTimersByTimeAsync(700);
    expect(fetched).toHaveBeenCalledTimes(2); // the third comes after 910 ms
    await vi.advanceTimersByTimeAsync(210);
    expect(fetched).toHaveBeenCalledTimes(3);
  });

  test("what could not be heard to the end is told again, though the stream knows it", async () => {
    let fails = true;
    const heard: string[] = [];
    follow((told) => {
      if (fails) throw new Error("the cells did not come");
      heard.push(told.stage);
    });
    Source.all[0]?.say({ stage: "Painting" });
    fails = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(lost).toHaveBeenCalledWith(true);
    expect(fetched.mock.calls[0]?.[1].headers).not.toHaveProperty("If-None-Match");
    expect(heard[0]).toBe("asked");
  });
});
