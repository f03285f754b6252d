import { thumbHashToDataURL } from "thumbhash";

/** What a ThumbHash in base64url shows, as a `data:` URL; undefined for one that is none. */
export function blurOf(thumbhash: string): string | undefined {
  try {
    const bytes = atob(thumbhash.replaceAll("-", "+").replaceAll("_", "/"));
    return thumbHashToDataURL(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
