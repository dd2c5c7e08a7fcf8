// Whose the page is that this script runs on.
import { type Owner, ownerOf } from "./account";
import { readData } from "./words";

/** `null` for nobody, who keeps nothing. */
export function owner(): Owner | null {
  return ownerOf(readData<{ account?: string }>("pwa")?.account);
}
