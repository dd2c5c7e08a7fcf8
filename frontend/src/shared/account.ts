// For whom something is kept. The server tells it in X-Account and in each page (imodel_site/keeping.py).

/** `<merchant>.<person>.<epoch>`, or NOBODY. */
export type Account = string;
/** `<merchant>.<person>`: whose caches and databases; an epoch (a sign-in) later it is still theirs. */
export type Owner = string;

export const NOBODY = "-";
const SHAPE = /^([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9a-f]{12})$/;

/** Whose it is; null for nobody and for what is no account. */
export function ownerOf(account: Account | null | undefined): Owner | null {
  const found = SHAPE.exec(account ?? "");
  return found ? `${found[1]}.${found[2]}` : null;
}
