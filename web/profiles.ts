import { isFields } from "./checks.ts";
import { keepJson, readJson } from "./storage.ts";

/** Somebody who is signed in in this browser. What the SDK keeps of them lies under the profile's name. [AP-12] */
export type Profile = { readonly profile: string; readonly handle: string };

const KNOWN = "edgewise.profiles";
/** Which of them this tab shows: kept for the tab, so that two tabs can be two people. */
const TAB = "edgewise.tab";

export const profileOfTab = (): string | null => sessionStorage.getItem(TAB);
export const rememberTab = (profile: string | null): void =>
  profile === null ? sessionStorage.removeItem(TAB) : sessionStorage.setItem(TAB, profile);

/** Whose account has ended while this tab showed it: told once, where somebody may sign in. [AP-30] */
const ERASED = "edgewise.erased";
export const rememberErased = (handle: string): void => sessionStorage.setItem(ERASED, handle);
export function takeErased(): string | null {
  const handle = sessionStorage.getItem(ERASED);
  sessionStorage.removeItem(ERASED);
  return handle;
}

export function knownProfiles(): Profile[] {
  const stored = readJson(KNOWN);
  return (Array.isArray(stored) ? stored : []).flatMap((value): Profile[] => {
    if (!isFields(value) || typeof value.profile !== "string" || typeof value.handle !== "string") return [];
    return [{ profile: value.profile, handle: value.handle }];
  });
}

export function keepProfile({ profile, handle }: Profile): void {
  forgetProfile(profile);
  keepJson(KNOWN, [...knownProfiles(), { profile, handle }]);
}

export function forgetProfile(profile: string): void {
  const others = knownProfiles().filter((known) => known.profile !== profile);
  keepJson(KNOWN, others.length > 0 ? others : null);
}

/** The first name that nobody has: what one person leaves behind is an empty store, which the next one takes. */
export function freeProfile(taken: readonly string[]): string {
  const names = new Set([...taken, ...knownProfiles().map(({ profile }) => profile)]);
  for (let n = 1; ; n++) if (!names.has(`${n}`)) return `${n}`;
}
