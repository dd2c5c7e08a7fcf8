// @ts-check
// What the shop takes as a photo, so that another file is refused before it is opened or sent.

export const LARGEST = 25 * 2 ** 20; // bytes
export const KINDS = ["image/jpeg", "image/png", "image/webp"];

/**
 * @param {File} file
 * @returns {"big" | "type" | null} what is wrong with it
 */
export function wrongWith(file) {
  if (file.size > LARGEST) return "big";
  return KINDS.includes(file.type) ? null : "type";
}
