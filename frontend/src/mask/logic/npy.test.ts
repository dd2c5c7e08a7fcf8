import { expect, test } from "vitest";
import { floatsToHalves, NpyError, readNpy } from "./npy";

/** As numpy.save writes them; the header is padded to 64 bytes. */
function npy(descr: string, shape: string, data: ArrayBufferView): ArrayBuffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const header = `${text.padEnd(128 - 10 - 1)}\n`;
  const bytes = new Uint8Array(128 + data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 128);
  return bytes.buffer;
}

test("halves become the floats that numpy says they are", () => {
  // numpy.float16([1, -2, 65504, 6.1e-5, 5.96e-8, 0, inf]).view(uint16)
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x0000, 0x7c00);
  const { shape, values } = readNpy(npy("<f2", "(1, 7)", halves));
  expect(shape).toEqual([1, 7]);
  expect([...values]).toEqual([1, -2, 65504, 2 ** -14, 2 ** -24, 0, Number.POSITIVE_INFINITY]);
});

test("floats are taken as they are", () => {
  expect([...readNpy(npy("<f4", "(2,)", Float32Array.of(0.5, -3.25))).values]).toEqual([0.5, -3.25]);
});

test.each([
  ["objects", npy("|O", "(1,)", new Uint8Array(8))],
  ["doubles", npy("<f8", "(1,)", new Float64Array(1))],
  ["big-endian halves", npy(">f2", "(1,)", new Uint16Array(1))],
  ["fewer values than the header says", npy("<f2", "(1, 256)", new Uint16Array(255))],
  ["more values than the header says", npy("<f2", "(3,)", new Uint16Array(4))],
  ["something else", new TextEncoder().encode("<!doctype html><html></html>").buffer],
  ["nothing", new ArrayBuffer(0)],
])("%s are refused", (_what, bytes) => {
  expect(() => readNpy(bytes as ArrayBuffer)).toThrow(NpyError);
});

test("floats become the nearest halves, ties to the even one", () => {
  const floats = Float32Array.of(1, -2, 65504, 70000, 2 ** -24, 2 ** -26, 1 + 1 / 2048, 1 + 3 / 2048, -0.1, 2047.9999);
  // numpy.float16 of the same, as uint16
  const expected = [0x3c00, 0xc000, 0x7bff, 0x7c00, 0x0001, 0x0000, 0x3c00, 0x3c02, 0xae66, 0x6800];
  expect([...floatsToHalves(floats)]).toEqual(expected);
});
