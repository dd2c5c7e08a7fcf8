import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, csrfToken, getJson, postForm } from "./api";
import { fill, readWords } from "./words";

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.innerHTML = "";
});

function answer(response: Response | Error) {
  const asked: [string, RequestInit][] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push([url, init]);
    if (response instanceof Error) throw response;
    return response;
  });
  return asked;
}

const failure = (call: Promise<unknown>) => call.then(() => null, (error: unknown) => error as ApiError);

describe("a request", () => {
  it("carries the token of the page's forms, because the cookie can not be read", async () => {
    document.body.innerHTML = '<form><input type="hidden" name="csrfmiddlewaretoken" value="t0k"></form>';
    const asked = answer(Response.json({ saved: true }));
    expect(await postForm(null, "/catalog/x", { name: "Coat" })).toEqual({ saved: true });
    const headers = asked[0]?.[1].headers as Record<string, string>;
    expect([headers["X-CSRFToken"], headers["X-Requested-With"]]).toEqual(["t0k", "XMLHttpRequest"]);
    expect((asked[0]?.[1].body as FormData).get("name")).toBe("Coat");
  });
  it("without a form has no token", () => expect(csrfToken()).toBe(""));
  it("that is refused says why, for which field, and whether again may help", async () => {
    const said = { code: "mask_changed", message: "It changed.", field: "base", retryable: false, request_id: "r1" };
    answer(Response.json({ error: said }, { status: 409 }));
    const error = await failure(getJson(null, "/x"));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: "mask_changed", message: "It changed.", status: 409, retryable: false, field: "base", requestId: "r1" });
  });
  it("that a proxy answers with its own page is unreadable, and worth another try from 500 on", async () => {
    answer(new Response("<h1>Bad gateway</h1>", { status: 502 }));
    expect(await failure(getJson(null, "/x"))).toMatchObject({ code: "unreadable", status: 502, retryable: true });
  });
  it("without a line is offline", async () => {
    answer(new TypeError("network"));
    expect(await failure(getJson(null, "/x"))).toMatchObject({ code: "offline", status: 0, retryable: true });
  });
  it("that was called off stays an abort", async () => {
    const controller = new AbortController();
    controller.abort();
    answer(new DOMException("called off", "AbortError"));
    expect((await failure(getJson(controller.signal, "/x")))?.name).toBe("AbortError");
  });
});

describe("words", () => {
  it("come from the page, filled in as gettext's are; a missing one shows its key", () => {
    document.body.innerHTML = '<script type="application/json" id="mask-words">{"add": "Add %(what)s"}</script>';
    const words = readWords("mask");
    expect([fill(words.add ?? "", { what: "sleeve" }), words.remove]).toEqual(["Add sleeve", "remove"]);
  });
});
