// Undo and redo. Steps with the same tag in a row are one: a drag, or an arrow key that is held.

export interface History<T> {
  readonly past: readonly T[];
  readonly now: T;
  readonly future: readonly T[];
  readonly tag: string;
}

const MOST = 200;

export function begun<T>(now: T): History<T> {
  return { past: [], now, future: [], tag: "" };
}

/** One step further; what was undone is gone. */
export function stepped<T>(history: History<T>, now: T, tag = ""): History<T> {
  if (tag && tag === history.tag) return { ...history, now, future: [] };
  return { past: [...history.past, history.now].slice(-MOST), now, future: [], tag };
}

/** The next step is one of its own, whatever its tag. */
export function sealed<T>(history: History<T>): History<T> {
  return history.tag ? { ...history, tag: "" } : history;
}

export function undone<T>(history: History<T>): History<T> {
  const now = history.past.at(-1);
  if (now === undefined) return history;
  return { past: history.past.slice(0, -1), now, future: [history.now, ...history.future], tag: "" };
}

export function redone<T>(history: History<T>): History<T> {
  const [now, ...future] = history.future;
  if (now === undefined) return history;
  return { past: [...history.past, history.now], now, future, tag: "" };
}
