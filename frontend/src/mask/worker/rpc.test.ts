import { expect, test } from "vitest";
import { Line } from "./rpc";

test("who asks a worker that was dismissed hears it at once", async () => {
  const worker = { addEventListener: () => undefined, postMessage: () => undefined, terminate: () => undefined } as unknown as Worker;
  const line = new Line<{ embed: { ask: null; answer: null } }>(worker);
  const waiting = line.call("embed", null);
  line.close();
  await expect(waiting).rejects.toThrow("closed");
  await expect(line.call("embed", null)).rejects.toThrow("closed");
});
