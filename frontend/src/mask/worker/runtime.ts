// onnxruntime-web as this project loads it: the build whose wasm lies beside it as a file of its own. The bundled one hangs
// without a word in a worker with two threads.
import * as ort from "onnxruntime-web/wasm";
import mjs from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";

export function setUp(threads: number): void {
  ort.env.wasm.wasmPaths = { mjs, wasm };
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
}

export async function download(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${answer.status}: ${url}`);
  return answer.arrayBuffer();
}

/** Into the browser's cache, where the runtime finds it: how long a download takes says nothing about whether it will start. */
export async function fetchRuntime(): Promise<void> {
  await Promise.all([download(mjs), download(wasm)]);
}

export function start(model: ArrayBuffer): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
}

export function tensor(values: Float32Array, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor("float32", values, shape);
}

export function floats(results: ort.InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const found = results[name]?.data;
  if (!(found instanceof Float32Array)) throw new Error(`the model has no output ${name}`);
  return found;
}
