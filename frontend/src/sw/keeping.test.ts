import { describe, expect, it } from "vitest";
import {
  essence, fileAddress, isFixed, isForeign, isLive, isOutdated, marked, mayShowFirst, pagesOf, titleOf, tooMany, unsigned,
} from "./keeping";

const ROW = "0198c1d2e3f4708192a3b4c5d6e7f809";
const LASTING = "/media/of/picture/0198c1d2-e3f4-7081-92a3-b4c5d6e7f809/medium";
const token = (text: string) => `s.${btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")}.AbC-_9`;
const SIGNED = `/media/${token(`${"a".repeat(32)},picture,${ROW},medium,1795870000`)}`;

describe("signed addresses", () => {
  it("become lasting ones in whatever is kept, wherever they stand", () => {
    const html = `<img src="${SIGNED}" srcset="${SIGNED} 2x"><a href="/media/nonsense">`;
    expect(unsigned(html)).toBe(`<img src="${LASTING}" srcset="${LASTING} 2x"><a href="/media/nonsense">`);
  });
  it("name the same file as the lasting one does", () => {
    expect(fileAddress(SIGNED)).toBe(LASTING);
    expect(fileAddress(LASTING)).toBe(LASTING);
  });
  it("of programs, and what is none, name no file to keep", () => {
    expect(fileAddress(SIGNED.replace("/s.", "/b."))).toBeNull();
    expect(fileAddress("/media/s.%%%.x")).toBeNull();
    expect(fileAddress(`/media/${token("a,b")}`)).toBeNull();
  });
  it("only of pictures, photos and looks are fixed: a mask is drawn over", () => {
    expect(isFixed(LASTING)).toBe(true);
    expect(isFixed(LASTING.replace("picture", "mask"))).toBe(false);
  });
});

describe("a kept page", () => {
  const kept = { account: "m.p.1", asked: 100_000, live: false };
  const now = { account: "m.p.1", wrote: 0, time: 200_000 };
  it("is shown before the server is asked", () => expect(mayShowFirst(kept, now)).toBe(true));
  it("is not, after a sign-in: its forms would be refused", () => {
    expect(mayShowFirst(kept, { ...now, account: "m.p.2" })).toBe(false);
  });
  it("is not, when something was sent since it was asked for", () => {
    expect(mayShowFirst(kept, { ...now, wrote: 150_000 })).toBe(false);
  });
  it("is not, when it may have been made while a form was still being carried out", () => {
    expect(mayShowFirst(kept, { ...now, wrote: 98_000 })).toBe(false);
    expect(mayShowFirst(kept, { ...now, wrote: 96_000 })).toBe(true);
  });
  it("is not, when it follows a job or is a week old", () => {
    expect(mayShowFirst({ ...kept, live: true }, now)).toBe(false);
    expect(mayShowFirst(kept, { ...now, time: 100_000 + 8 * 24 * 3600 * 1000 })).toBe(false);
  });
  it("says itself when it was kept, and what it is called", () => {
    expect(marked("<html><head><title>x</title>", 7)).toBe('<html><head><meta name="kept" content="7"><title>x</title>');
    expect(titleOf("<title>Linen shirt · iModel</title>")).toBe("Linen shirt");
  });
  it("is live when something on it is followed", () => {
    expect(isLive('<div data-progress="/shoots/1/progress">')).toBe(true);
    expect(isLive('<p data-progress-of="x">progress</p>')).toBe(false);
  });
});

describe("two answers show the same", () => {
  it("whatever token, nonce and key each has", () => {
    const page = (token: string) =>
      `<input type="hidden" name="csrfmiddlewaretoken" value="${token}"><input type="hidden" name="once" value="${token}"><script nonce="${token}">`;
    expect(essence(page("a"))).toBe(essence(page("b")));
  });
  it("however long ago by now", () => {
    const page = (ago: string, when = "T1") => `<td><time datetime="${when}">${ago}</time></td>`;
    expect(essence(page("3 minutes ago"))).toBe(essence(page("5 minutes ago")));
    expect(essence(page("now", "T1"))).not.toBe(essence(page("now", "T2")));
  });
  it("but not where a word differs", () => expect(essence("<p>3 shoots</p>")).not.toBe(essence("<p>4 shoots</p>")));
});

describe("caches", () => {
  const mine = `${"a".repeat(32)}.${"b".repeat(32)}`;
  it("of another owner are foreign, in each version; without an owner all are", () => {
    expect(isForeign(pagesOf("v1", mine), mine)).toBe(false);
    expect(isForeign(pagesOf("v1", "other"), mine)).toBe(true);
    expect(isForeign(`imodel:files:${mine}`, null)).toBe(true);
  });
  it("of the shell and the weights are nobody's", () => {
    expect(isForeign("imodel:heavy", null)).toBe(false);
    expect(isForeign("workbox-precache-v2-http://localhost/", null)).toBe(false);
  });
  it("of pages made by another version are outdated; pictures stay", () => {
    expect(isOutdated(pagesOf("v1", mine), "v2")).toBe(true);
    expect(isOutdated(pagesOf("v2", mine), "v2")).toBe(false);
    expect(isOutdated(`imodel:files:${mine}`, "v2")).toBe(false);
  });
  it("lose what was fetched longest ago, by number and by bytes", () => {
    const files = [1, 2, 3, 4].map((used) => ({ used, bytes: 10 }));
    expect(tooMany(files, 3, 1000).map((file) => file.used)).toEqual([1]);
    expect(tooMany(files, 9, 25).map((file) => file.used)).toEqual([2, 1]);
  });
});
