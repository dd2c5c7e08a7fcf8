// Fetching races with reloading: what belongs to a shelf that was replaced is not put on the new one.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Grid } from "./grid";
import type { Tile } from "./shelf";
import type { Tiles } from "./tiles";

const FEED = "/pictures/feed";
let answers: Map<string, (tiles: string[], older: string | null) => void>;

beforeEach(() => {
  answers = new Map();
  vi.stubGlobal("ResizeObserver", class { observe(): void {} });
  vi.stubGlobal("fetch", (url: string) =>
    new Promise<Response>((resolve) => {
      answers.set(url, (ids, older) => resolve(Response.json({ tiles: ids.map(tile), newer: null, older })));
    }),
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
});

function tile(id: string): Tile {
  return { id, image: "", name: "", href: "", width: 2, height: 3, verdict: "none", favourite: false };
}

function started(): Grid {
  const blank = () => document.createElement("div");
  const grid = new Grid(document.createElement("div"), FEED, { draw: blank, blank } as unknown as Tiles, { newer: "", older: "c1" }, () => undefined);
  grid.start();
  return grid;
}

const seen = (grid: Grid) => Array.from({ length: grid.shelf.end }, (_, index) => grid.shelf.at(index)?.id);
const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

test("an older page that comes after a reload is not hung below the new shelf", async () => {
  const grid = started();
  const older = answers.get(`${FEED}?from=c1`)!;
  const reloaded = grid.reload();
  answers.get(FEED)!(["new"], null);
  await reloaded;
  older(["old"], null);
  await soon();
  expect(seen(grid)).toEqual(["new"]);
});

test("of two reloads the newer one counts, whichever comes first", async () => {
  const grid = started();
  const first = grid.reload();
  const early = answers.get(FEED)!;
  const second = grid.reload();
  answers.get(FEED)!(["newest"], null);
  await second;
  early(["before"], null);
  await first;
  expect(seen(grid)).toEqual(["newest"]);
});
