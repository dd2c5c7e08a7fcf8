// Who makes the embedding: the server has it or will have it, or this device makes it itself. Whichever was measured to be
// faster here is tried first; the measurements are kept on the device.

export interface Measured {
  /** Milliseconds, newest last. */
  readonly encode: readonly number[];
  readonly download: readonly number[];
}

export interface Situation {
  /** The server has one ready to fetch; without a connection the service worker may still have it. */
  readonly ready: boolean;
  /** The server will have one. */
  readonly coming: boolean;
  readonly online: boolean;
  /** There is an encoder here whose embeddings fit the decoder. */
  readonly encoder: boolean;
  /** What the browser thinks of the line, megabits a second; ``null`` where it does not say. */
  readonly downlink: number | null;
}

/** From the server, made on this device, or from the server once it is done. */
export type Source = "server" | "device" | "wait";

const REMEMBERED = 5;
const MEGABITS = 16; // an embedding of 2.1 MB on the wire
const SLOW = 4000; // ms; a device that takes longer to encode lets the server finish what it has begun
export const UNMEASURED: Measured = { encode: [], download: [] };

/** What to try, one after the other. */
export function chooseSources(situation: Situation, measured: Measured): Source[] {
  const sources: Source[] = situation.ready ? ["server"] : [];
  const others: Source[] = situation.encoder ? ["device"] : [];
  if (situation.coming && situation.online) others.push("wait");
  sources.push(...(isSlow(measured) ? others.reverse() : others));
  const deviceFirst = situation.ready && situation.encoder && situation.online && deviceIsFaster(situation, measured);
  return deviceFirst ? ["device", "server"] : sources;
}

function isSlow({ encode }: Measured): boolean {
  return encode.length > 0 && median(encode) > SLOW;
}

/** Only when it was measured: a download is no worse than a guess. */
function deviceIsFaster(situation: Situation, measured: Measured): boolean {
  if (measured.encode.length === 0) return false;
  const download = measured.download.length ? median(measured.download) : guessedDownload(situation.downlink);
  return median(measured.encode) < download;
}

function guessedDownload(downlink: number | null): number {
  return downlink ? (MEGABITS / downlink) * 1000 : 1000;
}

export function remember(measured: Measured, what: keyof Measured, milliseconds: number): Measured {
  return { ...measured, [what]: [...measured[what], Math.round(milliseconds)].slice(-REMEMBERED) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** What a disk gave back, if it is ours. */
export function readMeasured(text: string | null): Measured {
  try {
    const value: unknown = JSON.parse(text ?? "");
    if (typeof value !== "object" || value === null) return UNMEASURED;
    return { encode: numbersOf(value, "encode"), download: numbersOf(value, "download") };
  } catch {
    return UNMEASURED;
  }
}

function numbersOf(value: object, name: string): number[] {
  const found: unknown = Reflect.get(value, name);
  return Array.isArray(found) ? found.filter((one): one is number => typeof one === "number" && one > 0).slice(-REMEMBERED) : [];
}
