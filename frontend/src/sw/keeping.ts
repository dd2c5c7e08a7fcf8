// What is kept under which name, and when a kept page may be shown: decisions without a browser, so that tests can ask.
import type { Account, Owner } from "../shared/account";

export const PREFIX = "imodel:";
export const HEAVY = `${PREFIX}heavy`;
const GRACE = 3000; // ms; a page asked for so soon after a form was sent may have been made before the form was done
const OLDEST = 7 * 24 * 3600 * 1000; // ms; an older page is asked for anew, and shown only where nothing answers

export const pagesOf = (version: string, owner: Owner): string => `${PREFIX}pages:${version}:${owner}`;
export const dataOf = (version: string, owner: Owner): string => `${PREFIX}data:${version}:${owner}`;
export const filesOf = (owner: Owner): string => `${PREFIX}files:${owner}`;

/** Caches of merchants' data that another version made. */
export function isOutdated(name: string, version: string): boolean {
  const kind = /^imodel:(?:pages|data):([^:]+):/.exec(name);
  return kind !== null && kind[1] !== version;
}

/** Caches that belong to somebody else than `owner`; with null, to anybody. */
export function isForeign(name: string, owner: Owner | null): boolean {
  const found = /^imodel:(?:(?:pages|data):[^:]+|files):(.+)$/.exec(name);
  return found !== null && found[1] !== owner;
}

// --- pictures -------------------------------------------------------------------------------------------------------
const TOKEN = /\/media\/s\.([\w-]+)\.[\w-]+/g;
const LASTING = /^\/media\/of\/([a-z]+)\/([0-9a-f-]{36})\/([\w-]+)$/;
/** Kinds of rows whose files never change. */
const FIXED = new Set(["picture", "asset", "look"]);

/** Signed addresses in a text become lasting ones, so that none is kept past its life. */
export function unsigned(text: string): string {
  return text.replace(TOKEN, (whole, body: string) => lastingOf(body) ?? whole);
}

/** The lasting address of a file's signed or lasting one; null for other addresses. */
export function fileAddress(path: string): string | null {
  if (LASTING.test(path)) return path;
  const found = /^\/media\/s\.([\w-]+)\.[\w-]+$/.exec(path);
  return found ? lastingOf(found[1] ?? "") : null;
}

/** True where a kept file is as good as a fresh one. */
export function isFixed(address: string): boolean {
  return FIXED.has(LASTING.exec(address)?.[1] ?? "");
}

/** The token's body is base64 of `merchant,kind,row,variant,expires` (imodel_site/lib/signing.py). */
function lastingOf(body: string): string | null {
  try {
    const [, kind, row, variant] = atob(body.replace(/-/g, "+").replace(/_/g, "/")).split(",");
    if (!kind || !variant || row?.length !== 32) return null;
    return `/media/of/${kind}/${row.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")}/${variant}`;
  } catch {
    return null;
  }
}

// --- pages ----------------------------------------------------------------------------------------------------------
/** What is known of a kept page. */
export interface Kept {
  account: Account;
  /** When it was asked for, ms since 1970. */
  asked: number;
  live: boolean;
}

/** What is known of now. */
export interface Now {
  account: Account;
  /** When this browser last sent something that may have changed a page. */
  wrote: number;
  time: number;
}

/** Whether a kept page may be shown before the server is asked. */
export function mayShowFirst(kept: Kept, now: Now): boolean {
  const fresh = kept.asked > now.wrote + GRACE && now.time - kept.asked < OLDEST;
  return fresh && !kept.live && kept.account === now.account;
}

/** An answer that tells nothing about the page: a deploy, an overload. A kept page is better. */
export function isTrouble(status: number): boolean {
  return status >= 500 || status === 429;
}

/** A page that follows something which moves: an old one would follow what is over. */
export function isLive(html: string): boolean {
  return /\sdata-(?:progress|stream|following|poll)=/.test(html);
}

const CHANGING = [
  / nonce="[^"]*"/g,
  /name="csrfmiddlewaretoken" value="[^"]*"/g,
  / data-csrf="[^"]*"/g,
  /<input[^>]*name="once"[^>]*>/g,
  /(?<=<time[^>]*>)[^<]*(?=<\/time>)/g, // "3 minutes ago"; the moment itself is in datetime=
];

/** The same for two answers that show the same. */
export function essence(html: string): string {
  return CHANGING.reduce((text, pattern) => text.replace(pattern, ""), html);
}

export function titleOf(html: string): string {
  return /<title>([^<]*)<\/title>/.exec(html)?.[1]?.replace(/ · iModel$/, "") ?? "";
}

/** The page as it is kept: it says so itself, for src/pwa. */
export function marked(html: string, time: number): string {
  return html.replace("<head>", `<head><meta name="kept" content="${time}">`);
}

// --- the past -------------------------------------------------------------------------------------------------------
/** What must go so that the rest is within the bounds; first what was fetched longest ago. */
export function tooMany<T extends { bytes: number; used: number }>(files: T[], most: number, bytes: number): T[] {
  const newest = [...files].sort((one, other) => other.used - one.used);
  let sum = 0;
  return newest.filter((file, place) => {
    sum += file.bytes;
    return place >= most || sum > bytes;
  });
}
