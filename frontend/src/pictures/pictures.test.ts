// The arithmetic under the grid: which rows are drawn, what is loaded, what is chosen.
import { describe, expect, test, vi } from "vitest";
import { Picks } from "./picks";
import { Shelf } from "./shelf";
import type { Tile } from "./shelf";
import { rowsInView, spaceAround, topOf } from "./window";

const GEOMETRY = { columns: 4, row: 300 };

function tiles(from: number, count: number): Tile[] {
  return Array.from({ length: count }, (_, k) => ({
    id: `p${from + k}`, image: "", name: "", href: "", width: 2, height: 3, verdict: "none", favourite: false,
  })); // prettier-ignore
}

describe("rows", () => {
  test("whole rows of the screen, and a screen above and below", () => {
    expect(rowsInView(GEOMETRY, 3000, 900, 10_000)).toEqual({ first: 28, end: 64 });
  });

  test("at the top and at the end nothing beyond", () => {
    expect(rowsInView(GEOMETRY, -200, 900, 10_000)).toEqual({ first: 0, end: 24 });
    expect(rowsInView(GEOMETRY, 749_000, 900, 9_999).end).toBe(9_999);
  });

  test("a short or empty history is drawn as it is", () => {
    expect(rowsInView(GEOMETRY, 0, 900, 3)).toEqual({ first: 0, end: 3 });
    expect(rowsInView(GEOMETRY, 0, 900, 0)).toEqual({ first: 0, end: 0 });
  });

  test("however many there are, as many are drawn", () => {
    const drawn = rowsInView(GEOMETRY, 300_000, 900, 10_000);
    expect(drawn.end - drawn.first).toBeLessThanOrEqual(4 * 10);
  });

  test("what is not drawn keeps its space, to the pixel", () => {
    const drawn = rowsInView(GEOMETRY, 3000, 900, 9_999);
    const { above, below } = spaceAround(GEOMETRY, drawn, 9_999);
    const rows = Math.ceil((drawn.end - drawn.first) / 4);
    expect(above + rows * 300 + below).toBe(2500 * 300);
    expect(above).toBe(topOf(GEOMETRY, drawn.first));
  });
});

describe("the shelf", () => {
  test("grows downwards until the end", () => {
    const shelf = new Shelf(0, null, "p3");
    shelf.append({ tiles: tiles(0, 4), newer: null, older: "p3" });
    shelf.append({ tiles: tiles(4, 2), newer: null, older: null });
    expect([shelf.end, shelf.older, shelf.at(5)?.id, shelf.indexOf("p4")]).toEqual([6, null, "p5", 4]);
  });

  test("the same picture is never twice on it", () => {
    const shelf = new Shelf(0, null, "p3");
    shelf.append({ tiles: tiles(0, 4), newer: null, older: "p3" });
    shelf.append({ tiles: tiles(2, 4), newer: null, older: null });
    expect(shelf.end).toBe(6);
  });

  test("after a way back the places above fill up without moving anything", () => {
    const shelf = new Shelf(100, "p100", "p100");
    shelf.append({ tiles: tiles(100, 4), newer: null, older: "p103" });
    expect(shelf.prepend({ tiles: tiles(60, 40), newer: "p60", older: null })).toBe(0);
    expect([shelf.first, shelf.indexOf("p100"), shelf.newer]).toEqual([60, 100, "p60"]);
  });

  test("fewer than there were places for moves the view up, more moves it down", () => {
    const less = new Shelf(100, "p100", null);
    less.append({ tiles: tiles(100, 4), newer: null, older: null });
    expect(less.prepend({ tiles: tiles(60, 40), newer: null, older: null })).toBe(-60);
    expect([less.first, less.indexOf("p100"), less.newer]).toEqual([0, 40, null]);

    const more = new Shelf(10, "p100", null);
    more.append({ tiles: tiles(100, 4), newer: null, older: null });
    expect(more.prepend({ tiles: tiles(60, 40), newer: "p60", older: null })).toBe(30);
    expect([more.first, more.indexOf("p100")]).toEqual([0, 40]);
  });

  test("what went to the bin closes up", () => {
    const shelf = new Shelf(0, null, null);
    shelf.append({ tiles: tiles(0, 5), newer: null, older: null });
    shelf.remove(new Set(["p1", "p2"]));
    expect([shelf.end, shelf.indexOf("p3"), shelf.indexOf("p1")]).toEqual([3, 1, -1]);
  });
});

describe("choosing", () => {
  const between = (from: string, to: string): string[] => {
    const [low = 0, high = 0] = [Number(from.slice(1)), Number(to.slice(1))].sort((a, b) => a - b);
    return tiles(low, high - low + 1).map((tile) => tile.id);
  };

  test("shift takes all between, whichever way, and takes them off likewise", () => {
    const picks = new Picks(() => undefined);
    picks.set("p8", true);
    picks.rangeTo("p5", true, between);
    expect([...picks.ids].sort()).toEqual(["p5", "p6", "p7", "p8"]);
    picks.rangeTo("p6", false, between);
    expect([...picks.ids].sort()).toEqual(["p7", "p8"]);
  });

  test("each change is told", () => {
    const changed = vi.fn();
    const picks = new Picks(changed);
    picks.toggle("p1");
    picks.clear();
    expect([changed.mock.calls.length, picks.size]).toEqual([2, 0]);
  });
});
