// An 8-bit grey PNG out of rows (PNG specification, third edition, sections 5, 9 and 11). The browser's own deflate does the
// packing; every browser that runs WebAssembly SIMD has it.

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const UP = 2; // the filter that leaves a mask almost nothing but zeros

export async function encodeGrey(rows: Iterable<Uint8Array>, width: number, height: number): Promise<Blob> {
  const packed = await deflate(filtered(rows, width));
  return new Blob([SIGNATURE, chunk("IHDR", header(width, height)), chunk("IDAT", packed), chunk("IEND", new Uint8Array(0))], {
    type: "image/png",
  });
}

function header(width: number, height: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(13);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes[8] = 8; // bits; the rest is 0: grey, deflate, adaptive filters, not interlaced
  return bytes;
}

/** Each row as its difference from the one above. */
function* filtered(rows: Iterable<Uint8Array>, width: number): Generator<Uint8Array<ArrayBuffer>> {
  const above = new Uint8Array(width);
  for (const row of rows) {
    const line = new Uint8Array(width + 1);
    line[0] = UP;
    for (let x = 0; x < width; x += 1) line[x + 1] = row[x]! - above[x]!;
    above.set(row);
    yield line;
  }
}

async function deflate(lines: Iterable<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new CompressionStream("deflate");
  const packed = new Response(stream.readable).arrayBuffer();
  const writer = stream.writable.getWriter();
  for (const lot of gathered(lines, 1 << 18)) await writer.write(lot);
  await writer.close();
  return new Uint8Array(await packed);
}

/** Lines in lots of about ``least`` bytes: a write for each line would take longer than the packing. */
function* gathered(lines: Iterable<Uint8Array>, least: number): Generator<Uint8Array<ArrayBuffer>> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const line of lines) {
    waiting.push(line);
    bytes += line.length;
    if (bytes < least) continue;
    yield joined(waiting, bytes);
    waiting = [];
    bytes = 0;
  }
  if (bytes) yield joined(waiting, bytes);
}

function joined(parts: Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function chunk(kind: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let at = 0; at < 4; at += 1) bytes[4 + at] = kind.charCodeAt(at);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}

let table: Uint32Array | null = null;

export function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => shifted(byte));
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function shifted(byte: number): number {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
}
