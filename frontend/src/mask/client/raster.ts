// The page's end of the mask's worker. Of many compositions in a row only the newest is worked out.
import type { Size } from "../logic/geometry";
import { Mailbox } from "../logic/mailbox";
import type { Edits, Part } from "../logic/model";
import type { RasterCalls, Shown } from "../worker/protocol";
import { Line } from "../worker/rpc";

export class Raster {
  private readonly line = new Line<RasterCalls>(new Worker(new URL("../worker/raster.worker.ts", import.meta.url), { type: "module" }));
  private readonly newest: Mailbox<Edits, Shown> = new Mailbox((number, edits) => {
    this.line.call("compose", lean(edits)).then(
      (shown) => this.newest.answered(number, shown),
      (error: Error) => this.newest.failed(number, error),
    );
  });

  photo(size: Size): Promise<null> {
    return this.line.call("photo", size);
  }

  mask(name: string, picture: ImageBitmap): Promise<null> {
    return this.line.call("mask", { name, picture }, [picture]);
  }

  /** ``null`` when newer edits were asked for before these were begun. */
  compose(edits: Edits): Promise<Shown | null> {
    return this.newest.latest(edits);
  }

  async preview(part: Part): Promise<Uint8ClampedArray<ArrayBuffer>> {
    return (await this.line.call("preview", part)).pixels;
  }

  async logits(part: Part): Promise<Float32Array | null> {
    return (await this.line.call("logits", { ...part, candidates: null })).logits;
  }

  save(edits: Edits): Promise<RasterCalls["save"]["answer"]> {
    return this.line.call("save", lean(edits));
  }

  async pack(edits: Edits): Promise<string> {
    return (await this.line.call("pack", lean(edits))).edits;
  }

  close(): void {
    this.line.close();
  }
}

/** Without the answers that were not chosen: 768 kB that nobody needs there. */
function lean(edits: Edits): Edits {
  return { ...edits, parts: edits.parts.map((part) => (part.candidates ? { ...part, candidates: null } : part)) };
}
