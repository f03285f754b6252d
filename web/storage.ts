/** What `localStorage` holds under this name; null for nothing, or what is not JSON. Check it: an older page may have written it. */
export function readJson(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/** All names in `localStorage` that begin so. */
export const namesWith = (prefix: string): string[] =>
  Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "").filter((name) =>
    name.startsWith(prefix),
  );
