// A photo's pose for the tests: 33 joints in a row, nothing saved.
import type { State } from "./client";
import type { Row } from "./logic/figure";

export const ROWS: readonly Row[] = Array.from({ length: 33 }, (_, index) => [index, index, 0, 1, "seen"] as const);

export function aState(rest: Partial<State> = {}): State {
  return {
    photo: { id: "1", url: "/photo", width: 100, height: 100 },
    status: "ready", seen: true, start: ROWS, rows: ROWS, saved: false, version: "", poses: [], can_write: true,
    urls: { save: "/save", reset: "/reset", place: "/place", keep: "/keep", control: "/control" },
    ...rest,
  };
}
