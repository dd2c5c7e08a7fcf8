import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { crc32, encodeGrey } from "./png";

/** A strict reader of what the encoder may write: chunks with their CRC, filters none and up. */
async function decoded(blob: Blob): Promise<{ width: number; height: number; rows: Uint8Array[] }> {
  const bytes = Buffer.from(await blob.arrayBuffer());
  expect([...bytes.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; ) {
    const long = bytes.readUInt32BE(at);
    const checked = bytes.subarray(at + 4, at + 8 + long);
    expect(bytes.readUInt32BE(at + 8 + long)).toBe(crc32(checked));
    chunks.set(checked.subarray(0, 4).toString("latin1"), checked.subarray(4));
    at += long + 12;
  }
  expect([...chunks.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
  const head = chunks.get("IHDR")!;
  expect([...head.subarray(8)]).toEqual([8, 0, 0, 0, 0]); // 8-bit grey
  const width = head.readUInt32BE(0);
  const height = head.readUInt32BE(4);
  const raw = inflateSync(chunks.get("IDAT")!);
  const rows: Uint8Array[] = [];
  for (let y = 0; y < height; y += 1) {
    const line = raw.subarray(y * (width + 1) + 1, (y + 1) * (width + 1));
    expect(raw[y * (width + 1)]).toBe(2);
    rows.push(line.map((value, x) => value + (rows[y - 1]?.[x] ?? 0)));
  }
  expect(raw.length).toBe(height * (width + 1));
  return { width, height, rows };
}

test("the check sum is the one of the standard", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
});

test("every pixel comes back, also when one buffer is used for all rows", async () => {
  const level = (x: number, y: number): number => (x * 7 + y * 31) % 256;
  function* rows(): Generator<Uint8Array> {
    const row = new Uint8Array(701);
    for (let y = 0; y < 900; y += 1) yield row.map((_, x) => level(x, y));
  }
  const found = await decoded(await encodeGrey(rows(), 701, 900));
  expect([found.width, found.height]).toEqual([701, 900]);
  expect(found.rows.every((row, y) => row.every((value, x) => value === level(x, y)))).toBe(true);
});

test("a mask of twelve megapixels is a small file", async () => {
  function* rows(): Generator<Uint8Array> {
    const row = new Uint8Array(3000);
    for (let y = 0; y < 4000; y += 1) yield row.fill(0).fill(255, 1000 - (y % 300), 2000);
  }
  expect((await encodeGrey(rows(), 3000, 4000)).size).toBeLessThan(100_000);
});
