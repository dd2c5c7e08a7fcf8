// What the editor asks of the server (catalog/views/skeletons.py).
import { getJson, postJson, send, writing } from "../shared/api";
import { figureOf, rowsOf, type Figure, type Row } from "./logic/figure";

export interface Pose {
  readonly id: string;
  readonly label: string;
  readonly image: string;
  readonly own: boolean;
  /** False while its photo is still being read. */
  readonly ready: boolean;
}

/** The state's JSON. */
export interface State {
  readonly photo: { readonly id: string; readonly url: string; readonly width: number; readonly height: number };
  readonly status: "ready" | "waiting" | "failed" | "none";
  readonly seen: boolean;
  readonly start: readonly Row[];
  readonly rows: readonly Row[];
  readonly saved: boolean;
  /** Of what is saved; empty for nothing. */
  readonly version: string;
  readonly poses: readonly Pose[];
  readonly urls: Readonly<Record<"save" | "reset" | "place" | "keep" | "control", string>>;
  readonly can_write: boolean;
}

export interface Placing {
  readonly pose: string;
  readonly mirror: boolean;
  readonly keepTrunk: boolean;
}

export const load = (signal: AbortSignal | null, url: string) => getJson<State>(signal, url);

export function save(state: State, figure: Figure): Promise<State> {
  return postJson<State>(null, state.urls.save, { landmarks: rowsOf(figure), base: state.version });
}

export function reset(state: State): Promise<State> {
  return postJson<State>(null, state.urls.reset, {});
}

/** A pose of the library in the place of the figure. */
export async function place(state: State, figure: Figure, { pose, mirror, keepTrunk }: Placing): Promise<Figure> {
  const body = { pose, mirror, keep_trunk: keepTrunk, landmarks: rowsOf(figure) };
  return figureOf((await postJson<{ rows: Row[] }>(null, state.urls.place, body)).rows);
}

export async function keep(state: State, figure: Figure, title: string): Promise<Pose> {
  return (await postJson<{ pose: Pose }>(null, state.urls.keep, { title, landmarks: rowsOf(figure) })).pose;
}

/** The picture that the engine is given: of this figure, or for those who may only look, of what is saved. */
export async function control(signal: AbortSignal, state: State, figure: Figure, crop: string): Promise<Blob> {
  if (!state.can_write) return (await send(signal, `${state.urls.control}?crop=${crop}`, {})).blob();
  const headers = { ...writing(), Accept: "image/png, application/json", "Content-Type": "application/json" };
  const body = JSON.stringify({ landmarks: rowsOf(figure), crop });
  return (await send(signal, state.urls.control, { method: "POST", headers, body })).blob();
}
