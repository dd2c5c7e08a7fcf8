import { beforeEach, expect, it, vi } from "vitest";
import { database, forget, owners } from "../shared/db";
import { file } from "./files";
import { fetchHeavy } from "./heavy";
import { filesOf } from "./keeping";
import { remember, wipeAll } from "./memory";
import { asking, aWorker } from "./testing";

const OWNER = `${"a".repeat(32)}.${"f".repeat(32)}`;
const LASTING = "/media/of/picture/0198c1d2-e3f4-7081-92a3-b4c5d6e7f809/medium";

beforeEach(async () => {
  for (const owner of await owners()) await forget(owner);
  aWorker();
  await remember({ account: `${OWNER}.${"0".repeat(12)}`, since: 0 });
});

/** A picture whose bytes come after `meanwhile`. */
async function fetched(meanwhile: () => Promise<void>): Promise<void> {
  const answer = {
    status: 200,
    clone: () => answer,
    blob: async () => {
      await meanwhile();
      return new Blob(["pixels"], { type: "image/webp" });
    },
  };
  vi.stubGlobal("fetch", async () => answer);
  const { event, done } = asking(LASTING);
  await file({ ...event, request: { ...event.request, headers: new Headers() } } as FetchEvent);
  await done();
}

it("a picture is kept", async () => {
  await fetched(async () => undefined);
  expect(await caches.keys()).toEqual([filesOf(OWNER)]);
  expect(await (await database(OWNER)).getAllKeys("files")).toEqual([LASTING]);
});

it("a picture that arrives after a sign-out brings nobody's cache or database back", async () => {
  await database(OWNER);
  await fetched(async () => {
    await wipeAll();
    await remember({ account: `${OWNER}.${"1".repeat(12)}` }); // they are back already: the picture is of before
  });
  expect([await caches.keys(), await owners()]).toEqual([[], []]);
});

it("two tabs at a time fetch the weights once", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    return new Response("weights");
  });
  await Promise.all([fetchHeavy(["/static/a.onnx"]), fetchHeavy(["/static/a.onnx"])]);
  expect(asked).toEqual(["/static/a.onnx"]);
});
