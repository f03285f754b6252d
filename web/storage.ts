/** What `localStorage` holds under this name; null for nothing, or what is not JSON. Check it: an older page may have written it. */
export function readJson(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/** Keeps it; null takes it away. Where there is no room it is kept as long as the page. */
export function keepJson(name: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // no room
  }
}

const names = (): string[] => Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "");

/** Pages before 0.1.0 kept tokens and messages here; nothing of them stays. [AP-11] */
export function dropOlder(): void {
  const devices = names().flatMap((name) => /^edgewise\.account\.(.+)$/.exec(name)?.[1] ?? []);
  for (const name of names()) if (/^edgewise\.(account|device)\./.test(name)) localStorage.removeItem(name);
  for (const deviceId of devices) localStorage.removeItem(`edgewise.push.${deviceId}`);
}
