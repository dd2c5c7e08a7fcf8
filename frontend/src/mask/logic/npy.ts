// NumPy's .npy, as far as embeddings need it: version 1 to 3, little-endian float16 or float32, C order.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

export interface Array32 {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export class NpyError extends Error {}

const HEADER = /^\{\s*'descr':\s*'<(f[24])',\s*'fortran_order':\s*False,\s*'shape':\s*\(([0-9, ]*)\),?\s*\}\s*$/;

/** @throws NpyError when it is no such file, or its length is not what its header says. */
export function readNpy(bytes: ArrayBuffer): Array32 {
  const { header, start } = split(bytes);
  const found = HEADER.exec(header);
  if (!found) throw new NpyError(`not an array of float16 or float32: ${header.slice(0, 80)}`);
  const [, kind = "", places = ""] = found;
  const shape = places.split(",").filter((place) => place.trim()).map(Number);
  const count = shape.reduce((product, side) => product * side, 1);
  const wide = kind === "f2" ? 2 : 4;
  if (bytes.byteLength - start !== count * wide) throw new NpyError("cut short, or longer than its header says");
  const data = bytes.slice(start);
  return { shape, values: wide === 2 ? halvesToFloats(new Uint16Array(data)) : new Float32Array(data) };
}

function split(bytes: ArrayBuffer): { header: string; start: number } {
  const view = new DataView(bytes);
  const magic = bytes.byteLength >= 12 && view.getUint8(0) === 0x93 && view.getUint32(1) === 0x4e554d50 && view.getUint8(5) === 0x59;
  if (!magic) throw new NpyError("no .npy file");
  const first = view.getUint8(6) === 1;
  const long = first ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = (first ? 10 : 12) + long;
  if (start > bytes.byteLength) throw new NpyError("cut short within its header");
  return { header: new TextDecoder("latin1").decode(new Uint8Array(bytes, start - long, long)), start };
}

let table: Float32Array | null = null; // all 65,536 halves, worked out once: a million look-ups take 2 ms

export function halvesToFloats(halves: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 65_536 }, (_, bits) => half(bits));
  const floats = new Float32Array(halves.length);
  for (let at = 0; at < halves.length; at += 1) floats[at] = table[halves[at]!]!;
  return floats;
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const floatBits = new Float32Array(1);
const wholeBits = new Uint32Array(floatBits.buffer);

/** Round to nearest, ties to even; what is too large becomes infinity. */
export function floatsToHalves(floats: Float32Array): Uint16Array {
  const halves = new Uint16Array(floats.length);
  for (let at = 0; at < floats.length; at += 1) halves[at] = toHalf(floats[at]!);
  return halves;
}

function toHalf(value: number): number {
  floatBits[0] = value;
  const bits = wholeBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const size = Math.abs(floatBits[0]!);
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (size >= 65_520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24); // subnormal
  const exponent = Math.floor(Math.log2(size));
  return sign | roundEven((size / 2 ** exponent - 1) * 1024 + (exponent + 15) * 1024);
}

function roundEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
