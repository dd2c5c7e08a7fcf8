import { beforeEach, expect, it, vi } from "vitest";
import { forget, owners } from "../shared/db";
import { enqueue, waiting } from "../shared/queue";
import { remember } from "./memory";
import { sendAtWake } from "./sending";
import { aWorker } from "./testing";

const OWNER = `${"a".repeat(32)}.${"f".repeat(32)}`;
const ACCOUNT = `${OWNER}.${"0".repeat(12)}`;

let status: number;
beforeEach(async () => {
  for (const owner of await owners()) await forget(owner);
  aWorker();
  await remember({ account: ACCOUNT, since: 0, wrote: 0 });
  await enqueue(OWNER, "shoot", "/shoot/", [["once", "k", ""]]);
  vi.stubGlobal("fetch", async (about: string) =>
    about === "/pwa/state" ? Response.json({ account: ACCOUNT, csrf: "t" }) : new Response("{}", { status }));
});

it("a wake-up whose order meets a server that is down has failed, so that the browser wakes us again", async () => {
  status = 503;
  await expect(sendAtWake()).rejects.toThrow("1 still waiting");
  status = 200;
  await sendAtWake();
  expect(await waiting(OWNER)).toEqual([]);
});

it("what was refused for good is no reason to be woken", async () => {
  status = 400;
  await sendAtWake();
  expect((await waiting(OWNER)).map((item) => item.status)).toEqual(["refused"]);
});
