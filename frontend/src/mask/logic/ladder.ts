// Where the decoder runs: on this device with threads, with one, or on the server. Each rung is tried once, from the top.

export type Rung = { readonly where: "device"; readonly threads: number } | { readonly where: "server" };

export interface Device {
  readonly cores: number;
  /** The page is cross-origin isolated, which shared memory needs. */
  readonly isolated: boolean;
  readonly userAgent: string;
  readonly wasm: boolean;
}

const MOST_THREADS = 4; // more gained nothing at this decoder's size

/** Rungs from the best down; ``offline`` or without an address the server is none. */
export function ladder(device: Device, server: boolean): Rung[] {
  const threads = device.isolated && !isWebKit(device.userAgent) ? Math.min(device.cores, MOST_THREADS) : 1;
  const rungs: Rung[] = [];
  if (device.wasm && threads > 1) rungs.push({ where: "device", threads });
  if (device.wasm) rungs.push({ where: "device", threads: 1 });
  if (server) rungs.push({ where: "server" });
  return rungs;
}

/** Safari, and every browser on iOS: their shared memory breaks onnxruntime's threads (its issues 11679 and 22086). */
export function isWebKit(userAgent: string): boolean {
  return /iPhone|iPad|iPod/.test(userAgent) || (/AppleWebKit/.test(userAgent) && !/Chrom|Android|Edg/.test(userAgent));
}

export class NoRungLeft extends Error {
  constructor(readonly reasons: readonly string[]) {
    super(reasons.join("; ") || "no way to decode");
  }
}

/** The first rung that holds. ``tell`` hears why one did not. */
export async function climb<T>(rungs: readonly Rung[], stand: (rung: Rung) => Promise<T>, tell: (rung: Rung, reason: string) => void): Promise<{ rung: Rung; held: T }> {
  const reasons: string[] = [];
  for (const rung of rungs) {
    try {
      return { rung, held: await stand(rung) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      reasons.push(reason);
      tell(rung, reason);
    }
  }
  throw new NoRungLeft(reasons);
}
