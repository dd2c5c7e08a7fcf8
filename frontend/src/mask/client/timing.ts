// How long things took, as entries of the browser's own timeline: devtools show them and bench/mask_editor.py reads them.

export function noted(what: "open" | "embed" | "encode" | "decode" | "click", milliseconds: number): void {
  const end = performance.now();
  performance.measure(`mask:${what}`, { start: Math.max(0, end - milliseconds), end });
}
