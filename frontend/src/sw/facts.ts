// What only this installation knows; imodel_site/pwa.py writes it before the worker's code.

export interface Facts {
  /** Changes with every file that the worker serves. */
  version: string;
  /** Style sheets, scripts and fonts of frontend/plain, under names that hold their hashes. */
  shell: string[];
  /** Weights for the browser. */
  heavy: string[];
  /** Pages for when nothing answers, by language. */
  pages: Record<"offline" | "waiting" | "stayed", Record<string, string>>;
  /** Of those pages. */
  revision: string;
  static: string;
  doors: { state: string; waiting: string; shoot: string; uploads: string[]; leaving: string[] };
}

export type Entry = { url: string; revision: string | null };

export const worker = self as unknown as ServiceWorkerGlobalScope & { IMODEL: Facts };
