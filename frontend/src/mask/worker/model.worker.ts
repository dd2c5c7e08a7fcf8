// Encoder and decoder, off the page's thread.
import type { InferenceSession } from "onnxruntime-web/wasm";
import { LOW, longest, type Size } from "../logic/geometry";
import { type Array32, readNpy } from "../logic/npy";
import { type Decoded, type Prompt, promptArrays } from "../logic/prompts";
import { encode } from "./encode";
import type { ModelCalls } from "./protocol";
import { serve, type Scope } from "./rpc";
import { download, fetchRuntime, floats, setUp, start, tensor } from "./runtime";

let model: ArrayBuffer | null = null;
let started: (session: InferenceSession) => void;
const decoder = new Promise<InferenceSession>((resolve) => (started = resolve));
let embedding: Float32Array | null = null;

serve<ModelCalls>(self as unknown as Scope, {
  load: ({ decoder: url }) =>
    timed(async () => {
      [model] = await Promise.all([download(url), fetchRuntime()]);
      return {};
    }),
  open: ({ threads }) =>
    timed(async () => {
      if (!model) throw new Error("no decoder was loaded");
      setUp(threads);
      started(await start(model));
      model = null;
      return {};
    }),
  embed: async ({ url }) => warmed(await timed(async () => take(readNpy(await download(url))))),
  encode: async ({ encoder, picture }) => {
    await decoder; // one after the other: both want all cores
    return warmed(await timed(async () => take(await encode(encoder, picture))));
  },
  decode: ({ prompt, photo }) => timed(() => decode(prompt, photo)),
});

async function timed<T extends object>(work: () => Promise<T>): Promise<T & { milliseconds: number }> {
  const began = performance.now();
  const done = await work();
  return { ...done, milliseconds: performance.now() - began };
}

function take({ shape, values }: Array32): object {
  if (shape.join() !== "1,256,64,64") throw new Error(`an embedding of shape ${shape.join()}`);
  embedding = values;
  return {};
}

/** The first decoding takes three times as long as the others: before anybody waits for it. */
async function warmed<T>(answer: T): Promise<T> {
  await decode({ clicks: [{ x: 1, y: 1, add: true }], box: null, mask: null }, { width: 2, height: 2 });
  return answer;
}

async function decode(prompt: Prompt, photo: Size): Promise<Decoded> {
  const session = await decoder;
  if (!embedding) throw new Error("no embedding yet");
  if (longest(photo) <= 0) throw new Error("a photo without a size");
  const arrays = promptArrays(prompt, photo);
  const results = await session.run({
    image_embeddings: tensor(embedding, [1, 256, 64, 64]),
    point_coords: tensor(arrays.coords, [1, arrays.labels.length, 2]),
    point_labels: tensor(arrays.labels, [1, arrays.labels.length]),
    mask_input: tensor(arrays.maskInput, [1, 1, LOW, LOW]),
    has_mask_input: tensor(arrays.hasMaskInput, [1]),
  });
  return { planes: floats(results, "low_res_masks").slice(), iou: [...floats(results, "iou_predictions")] };
}
