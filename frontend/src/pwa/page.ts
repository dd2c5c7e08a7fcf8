// What the page says about itself: {{ frame.pwa|json_script:"pwa" }}.
import { readData, type Words } from "../shared/words";

export interface Pwa {
  /** For whom the page was made; empty on the pages that are kept for everybody. */
  account: string;
  /** Address of the worker; empty where there is none (IMODEL_DEBUG). */
  worker: string;
  state: string;
  /** Where forms go after which somebody else is there; signing out is the first. */
  leaving: string[];
  words: Words;
}

export function readPwa(): Pwa | null {
  return readData<Pwa>("pwa");
}

/** Where a form goes; without a script's help. */
export function goal(form: HTMLFormElement): string {
  return new URL(form.getAttribute("action") ?? "", location.href).pathname;
}

/** When the worker kept this page, ms since 1970; null when the server has just made it. */
export function keptAt(root: Document = document): number | null {
  const found = root.querySelector<HTMLMetaElement>('meta[name="kept"]');
  return found ? Number(found.content) : null;
}

export function moment(time: number): string {
  const day = new Date(time).toDateString() === new Date().toDateString();
  const options: Intl.DateTimeFormatOptions = day ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(document.documentElement.lang || undefined, options).format(time);
}
