import { rgbaToThumbHash } from "thumbhash";
import { LIMITS } from "../src/protocol/limits.ts";

export type Measured = { width: number; height: number; thumbnail?: string; thumbhash?: string };

/** Longest sides of a thumbnail, tried until it fits into a message. Pixels. */
const SIDES = [120, 80, 48, 24];
const QUALITY = 0.5;

/** A ThumbHash is made of no more than this. Pixels. */
const HASHED = 100;

/** [MD-16] The size of a picture, a small JPEG of it in base64 and its ThumbHash; null where the browser cannot read it. */
export async function measure(file: Blob): Promise<Measured | null> {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  try {
    const { width, height } = bitmap;
    if (width > LIMITS.mediaPixels || height > LIMITS.mediaPixels) return null;
    const thumbnail = thumbnailOf(bitmap);
    const thumbhash = thumbhashOf(bitmap);
    return { width, height, ...(thumbnail === undefined ? {} : { thumbnail }), ...(thumbhash ? { thumbhash } : {}) };
  } finally {
    bitmap.close();
  }
}

/** A smaller copy whose longest side is `side` pixels at most. */
function shrunk(bitmap: ImageBitmap, side: number): HTMLCanvasElement {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function thumbhashOf(bitmap: ImageBitmap): string | undefined {
  const canvas = shrunk(bitmap, HASHED);
  const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height);
  if (!pixels) return undefined;
  const hash = rgbaToThumbHash(pixels.width, pixels.height, pixels.data);
  return btoa(String.fromCharCode(...hash))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

function thumbnailOf(bitmap: ImageBitmap): string | undefined {
  for (const side of SIDES) {
    const canvas = shrunk(bitmap, side);
    const base64 = canvas.toDataURL("image/jpeg", QUALITY).split(",")[1];
    if (base64 && base64.length <= LIMITS.thumbnailLength) return base64;
  }
  return undefined;
}

/** Of a group's picture. Pixels. */
const SQUARE = 512;

/** The middle of a picture as a small JPEG with sides of one length; null where the browser cannot read it. */
export async function squareOf(file: Blob): Promise<Blob | null> {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.min(SQUARE, side);
  const context = canvas.getContext("2d");
  if (context) context.fillStyle = "#fff"; // a JPEG has no holes to see through
  context?.fillRect(0, 0, canvas.width, canvas.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  context?.drawImage(bitmap, left, top, side, side, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
}
