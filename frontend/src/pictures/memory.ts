// Where the grid was left, in the history entry itself: the browser hands it back on the way back, and nobody else sees it.

export interface Place {
  /** The first picture in view, how many came before it, and how far its row was from the screen's upper edge. */
  readonly id: string;
  readonly index: number;
  readonly offset: number;
}

export function recall(): Place | null {
  const state: unknown = history.state;
  const place = state && typeof state === "object" && "grid" in state ? state.grid : null;
  return isPlace(place) ? place : null;
}

export function keep(place: Place): void {
  const state: unknown = history.state;
  history.replaceState({ ...(state && typeof state === "object" ? state : {}), grid: place }, "");
}

function isPlace(value: unknown): value is Place {
  if (!value || typeof value !== "object") return false;
  return "id" in value && "index" in value && "offset" in value && typeof value.id === "string" && typeof value.index === "number";
}
