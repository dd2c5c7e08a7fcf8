// The decoder wherever it runs: the best rung of the ladder that holds.
import { LOW, type Size } from "../logic/geometry";
import type { Source } from "../logic/choice";
import { climb, type Device, ladder, type Rung } from "../logic/ladder";
import { Mailbox } from "../logic/mailbox";
import type { Decoded, Prompt } from "../logic/prompts";
import type { ModelCalls } from "../worker/protocol";
import { Line } from "../worker/rpc";
import { decodeThere } from "./server";
import { noted } from "./timing";

const PATIENCE = 60_000; // ms: threads that never start say nothing

export interface Decoder {
  readonly rung: Rung;
  /** Where the photo's embedding came from, once it is there; ``null``: there is none, so nothing can be decoded. */
  readonly embedded: Promise<Source | "there" | null>;
  readonly box: Mailbox<Prompt, Decoded>;
  close(): void;
}

export function thisDevice(): Device {
  return {
    cores: navigator.hardwareConcurrency || 1,
    isolated: globalThis.crossOriginIsolated === true,
    userAgent: navigator.userAgent,
    wasm: typeof WebAssembly === "object" && typeof OffscreenCanvas === "function",
  };
}

export interface Wanted {
  readonly model: string;
  readonly decodeUrl: string;
  readonly photo: Size;
  /** Give a worker the photo's embedding. */
  readonly embed: (line: Line<ModelCalls>) => Promise<Source | null>;
}

/** @throws NoRungLeft when nothing can decode. ``tell`` hears of each rung that broke. */
export async function openDecoder(wanted: Wanted, tell: (rung: Rung, reason: string) => void): Promise<Decoder> {
  const rungs = ladder(thisDevice(), wanted.decodeUrl !== "" && navigator.onLine);
  const { held } = await climb(rungs, (rung) => (rung.where === "device" ? here(rung, wanted) : there(rung, wanted)), tell);
  return held;
}

async function here(rung: Rung & { where: "device" }, wanted: Wanted): Promise<Decoder> {
  const line = new Line<ModelCalls>(new Worker(new URL("../worker/model.worker.ts", import.meta.url), { type: "module" }));
  const embedded = wanted.embed(line); // meanwhile: the download of one does not wait for that of the other
  try {
    await line.call("load", { decoder: wanted.model });
    noted("open", (await withPatience(line.call("open", { threads: rung.threads }))).milliseconds);
  } catch (error) {
    line.close();
    throw error;
  }
  const box: Mailbox<Prompt, Decoded> = new Mailbox((number, prompt) => {
    line.call("decode", { prompt, photo: wanted.photo }).then(
      (decoded) => box.answered(number, decoded),
      (error: Error) => box.failed(number, error),
    );
  });
  return { rung, embedded, box, close: () => line.close() };
}

async function there(rung: Rung, wanted: Wanted): Promise<Decoder> {
  const box: Mailbox<Prompt, Decoded> = new Mailbox((number, prompt) => {
    decodeThere(wanted.decodeUrl, prompt).then(
      (decoded) => (decoded.planes.length === 4 * LOW * LOW ? box.answered(number, decoded) : box.failed(number, new Error("short"))),
      (error: Error) => box.failed(number, error),
    );
  });
  return { rung, embedded: Promise.resolve("there" as const), box, close: () => box.close(new Error("closed")) };
}

function withPatience<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("the decoder did not start")), PATIENCE);
    work.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
