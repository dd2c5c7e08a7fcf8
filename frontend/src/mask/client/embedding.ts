// Where a photo's embedding comes from, and how long it took last time on this device.
import { chooseSources, type Measured, readMeasured, remember, type Source } from "../logic/choice";
import type { ModelCalls } from "../worker/protocol";
import type { Line } from "../worker/rpc";
import { type CutState, fetchState } from "./server";
import { noted } from "./timing";

const SHELF = "imodel.mask.measured";
const ASK_AGAIN = 1500; // ms
const PATIENCE = 30_000; // ms after which a device that can encode does so itself

export interface Need {
  readonly state: CutState;
  /** Of the photo, as it is on this device. */
  readonly picture: () => Promise<ImageBitmap>;
  /** Where to ask whether the server has made it meanwhile. */
  readonly stateUrl: string;
}

/** Give the worker an embedding; where it came from. ``null``: there is none to be had. */
export async function embed(line: Line<ModelCalls>, need: Need): Promise<Source | null> {
  const sources = chooseSources(situation(need.state), measured());
  for (const source of sources) {
    try {
      await WAYS[source](line, need, source === sources.at(-1));
      return source;
    } catch (error) {
      console.info("mask editor:", source, error);
    }
  }
  return null;
}

function situation({ embedding, encoder }: CutState): Parameters<typeof chooseSources>[0] {
  return {
    ready: embedding.status === "ready" && embedding.url !== null,
    coming: embedding.status === "waiting",
    online: navigator.onLine,
    encoder: encoder !== null && (encoder.family === embedding.encoder || !embedding.encoder),
    downlink: downlink(),
  };
}

type Way = (line: Line<ModelCalls>, need: Need, last: boolean) => Promise<void>;
const WAYS: Record<Source, Way> = { server: download, device: make, wait };

async function download(line: Line<ModelCalls>, need: Need): Promise<void> {
  const { milliseconds } = await line.call("embed", { url: need.state.embedding.url! });
  note("download", milliseconds);
  noted("embed", milliseconds);
}

async function make(line: Line<ModelCalls>, need: Need): Promise<void> {
  const picture = await need.picture();
  const { milliseconds } = await line.call("encode", { encoder: need.state.encoder!.url, picture }, [picture]);
  note("encode", milliseconds);
  noted("encode", milliseconds);
}

/** The server is at it. */
async function wait(line: Line<ModelCalls>, need: Need, last: boolean): Promise<void> {
  const until = last ? Infinity : performance.now() + PATIENCE;
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
    if (line.closed) throw new Error("nobody needs it any more: the decoder broke, or the editor was left");
    const state = await fetchState(need.stateUrl);
    if (state.embedding.status === "ready") return download(line, { ...need, state });
    if (state.embedding.status !== "waiting") throw new Error(`the embedding is ${state.embedding.status}`);
  }
  throw new Error("the embedding takes too long");
}

function measured(): Measured {
  return readMeasured(localStorage.getItem(SHELF));
}

function note(what: keyof Measured, milliseconds: number): void {
  try {
    localStorage.setItem(SHELF, JSON.stringify(remember(measured(), what, milliseconds)));
  } catch {
    // a full or forbidden shelf costs a measurement, nothing else
  }
}

function downlink(): number | null {
  const connection: unknown = Reflect.get(navigator, "connection");
  const found: unknown = typeof connection === "object" && connection !== null ? Reflect.get(connection, "downlink") : null;
  return typeof found === "number" && found > 0 ? found : null;
}
