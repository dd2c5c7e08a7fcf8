// What the hand holds, and which key takes it.
import type { IconName } from "./icons";

export type Tool = "add" | "remove" | "brush" | "eraser" | "hand";

export const TOOLS: readonly { readonly tool: Tool; readonly icon: IconName; readonly key: string }[] = [
  { tool: "add", icon: "plus", key: "a" },
  { tool: "remove", icon: "minus", key: "r" },
  { tool: "brush", icon: "brush", key: "b" },
  { tool: "eraser", icon: "eraser", key: "e" },
  { tool: "hand", icon: "hand", key: "h" },
];

/** What one looks at: the photo with what is not garment faded, the garment alone, the photo as it is. */
export type Look = "marked" | "alone" | "photo";
export const LOOKS: readonly Look[] = ["marked", "alone", "photo"];

export function isClicking(tool: Tool): boolean {
  return tool === "add" || tool === "remove";
}

export function isPainting(tool: Tool): boolean {
  return tool === "brush" || tool === "eraser";
}
