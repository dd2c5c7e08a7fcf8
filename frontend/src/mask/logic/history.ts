// Undo and redo over values that never change.

export interface History<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
  /** What the last change was; changes of one kind in a row (a slider) are one step. */
  readonly kind: string | null;
}

const DEEPEST = 100;

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [], kind: null };
}

/** ``kind``: a change that follows one of the same kind replaces it instead of adding a step. */
export function push<T>(history: History<T>, present: T, kind: string | null = null): History<T> {
  if (present === history.present) return history;
  const merges = kind !== null && kind === history.kind;
  const past = merges ? history.past : [...history.past, history.present].slice(-DEEPEST);
  return { past, present, future: [], kind };
}

export function undo<T>(history: History<T>): History<T> {
  const present = history.past.at(-1);
  if (present === undefined) return history;
  return { past: history.past.slice(0, -1), present, future: [history.present, ...history.future], kind: null };
}

export function redo<T>(history: History<T>): History<T> {
  const [present, ...future] = history.future;
  if (present === undefined) return history;
  return { past: [...history.past, history.present], present, future, kind: null };
}
