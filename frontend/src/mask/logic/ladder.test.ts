import { expect, test } from "vitest";
import { climb, ladder, NoRungLeft } from "./ladder";

const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15";
const CHROME_ON_IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1";
const device = { cores: 8, isolated: true, userAgent: CHROME, wasm: true };

test("an isolated page has threads, at most four, then one, then the server", () => {
  expect(ladder(device, true)).toEqual([{ where: "device", threads: 4 }, { where: "device", threads: 1 }, { where: "server" }]);
  expect(ladder({ ...device, userAgent: FIREFOX, cores: 2 }, false)).toEqual([{ where: "device", threads: 2 }, { where: "device", threads: 1 }]);
});

test.each([["no isolation", { isolated: false }], ["Safari", { userAgent: SAFARI }], ["Chrome on iOS", { userAgent: CHROME_ON_IOS }], ["one core", { cores: 1 }]])(
  "%s means one thread",
  (_why, change) => {
    expect(ladder({ ...device, ...change }, true)).toEqual([{ where: "device", threads: 1 }, { where: "server" }]);
  },
);

test("without WebAssembly the server decodes, and offline nobody does", () => {
  expect(ladder({ ...device, wasm: false }, true)).toEqual([{ where: "server" }]);
  expect(ladder({ ...device, wasm: false }, false)).toEqual([]);
});

test("the first rung that holds is stood on, and it is said why others did not", async () => {
  const told: string[] = [];
  const found = await climb(
    ladder(device, true),
    async (rung) => {
      if (rung.where === "device" && rung.threads > 1) throw new Error("no shared memory");
      return "held";
    },
    (rung, reason) => told.push(`${rung.where}: ${reason}`),
  );
  expect(found).toEqual({ rung: { where: "device", threads: 1 }, held: "held" });
  expect(told).toEqual(["device: no shared memory"]);
});

test("when no rung holds, all the reasons are there", async () => {
  const stand = (rung: { where: string }): Promise<string> => Promise.reject(new Error(`${rung.where} broke`));
  await expect(climb(ladder(device, true), stand, () => undefined)).rejects.toThrow(new NoRungLeft(["device broke", "device broke", "server broke"]));
});
