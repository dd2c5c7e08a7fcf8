// The small image encoder: a picture of at most 512 pixels a side, top left in a square of zeros, RGB 0..255.
import type { Array32 } from "../logic/npy";
import { download, floats, start, tensor } from "./runtime";

const SIDE = 512;
const SHAPE = [1, 256, 64, 64];

export async function encode(encoder: string, picture: ImageBitmap): Promise<Array32> {
  const session = await start(await download(encoder));
  try {
    const results = await session.run({ image: tensor(planes(picture), [1, 3, SIDE, SIDE]) });
    return { shape: SHAPE, values: floats(results, "image_embeddings").slice() };
  } finally {
    await session.release(); // 40 MB that nobody needs while clicking
  }
}

/** (3, 512, 512). Halved while it is more than twice too large: a canvas looks at four pixels only, and would skip the others. */
function planes(picture: ImageBitmap): Float32Array {
  const scale = SIDE / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale].map((side) => Math.max(1, Math.round(side))) as [number, number];
  let source: ImageBitmap | OffscreenCanvas = picture;
  while (source.width >= width * 2) source = drawn(source, Math.ceil(source.width / 2), Math.ceil(source.height / 2));
  const small = drawn(source, width, height);
  const { data } = small.getContext("2d")!.getImageData(0, 0, width, height);
  const values = new Float32Array(3 * SIDE * SIDE);
  for (let at = 0; at < width * height; at += 1) {
    const into = Math.floor(at / width) * SIDE + (at % width);
    for (let channel = 0; channel < 3; channel += 1) values[channel * SIDE * SIDE + into] = data[at * 4 + channel]!;
  }
  return values;
}

function drawn(source: ImageBitmap | OffscreenCanvas, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#fff"; // what is see-through stands on white, as the server has it
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}
