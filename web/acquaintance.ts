import type { Contact } from "../src/protocol/http.ts";
import type { Answer } from "./doors.ts";

/** My contacts, as of a version. */
export type Known = { readonly version: number; readonly contacts: readonly Contact[] };
export const NOBODY: Known = { version: 0, contacts: [] };

/** [CT-14] [CT-15] What is known with what has changed since. */
export function withChanges(known: Known, { contacts, removed = [], version, reset }: Answer<"contacts">): Known {
  const gone = new Set<string>([...removed, ...contacts.map(({ userId }) => userId)]);
  const stays = reset ? [] : known.contacts.filter(({ userId }) => !gone.has(userId));
  return { version, contacts: [...stays, ...contacts] };
}
