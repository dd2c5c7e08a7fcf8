// Pictures as blobs and bitmaps.
import { send } from "../../shared/api";

export async function fetchBlob(url: string): Promise<Blob> {
  return (await send(null, url, {})).blob();
}

/** Upright, however the camera was held. */
export function bitmapOf(blob: Blob): Promise<ImageBitmap> {
  return createImageBitmap(blob, { imageOrientation: "from-image" });
}
