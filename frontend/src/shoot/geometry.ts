// Where things lie on the sketch, in shares of its sides.

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How far down a standing figure each crop reaches, of a frame that shows all of it. */
const REACH: Readonly<Record<string, number>> = { "head-to-toe": 1, "knee-up": 0.74, "waist-up": 0.52 };

/** The part of a 2:3 frame that a crop keeps; all of it where the photo decides. */
export function cropBox(crop: string): Box {
  const reach = REACH[crop] ?? 1;
  return { x: (1 - reach) / 2, y: 0, width: reach, height: reach };
}

/** A picture inside a frame, whole: what `object-fit: contain` does. */
export function contained(width: number, height: number, frame: Box): Box {
  const scale = Math.min(frame.width / width, frame.height / height);
  return placed(width * scale, height * scale, frame);
}

/** A picture over all of a frame: `object-fit: cover`. */
export function covering(width: number, height: number, frame: Box): Box {
  const scale = Math.max(frame.width / width, frame.height / height);
  return placed(width * scale, height * scale, frame);
}

function placed(width: number, height: number, frame: Box): Box {
  return { x: frame.x + (frame.width - width) / 2, y: frame.y + (frame.height - height) / 2, width, height };
}

/** A mask's brightness as the opacity of a colour, in place: what the browser's canvas needs to cut with it. */
export function brightnessToAlpha(pixels: Uint8ClampedArray): void {
  for (let at = 0; at < pixels.length; at += 4) pixels[at + 3] = pixels[at] ?? 0;
}
