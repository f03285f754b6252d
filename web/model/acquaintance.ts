import { computed, signal } from "@preact/signals";
import type { Profile } from "../../src/protocol/http.ts";
import { type Known, NOBODY, withChanges } from "../acquaintance.ts";
import type { Session } from "./session.ts";

/** Whom I know and whom I block, as far as it was asked last. */
const known = signal<Known>(NOBODY);
export const contacts = computed(() => known.value.contacts);
export const blocks = signal<readonly Profile[]>([]);
/** How many ask to be my contact. */
export const incoming = computed(() => contacts.value.filter(({ state }) => state === "incoming").length);

/** Asks for what has changed. Answers whether the server told. */
export async function loadContacts(session: Session): Promise<boolean> {
  let next = known.peek();
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? { since: `${next.version}` } : { cursor };
    const answer = await session.call("contacts", next.version === 0 ? {} : { query });
    if (!answer.ok) return false;
    next = withChanges(next, answer.value);
    cursor = answer.value.cursor;
  } while (cursor !== undefined);
  for (const contact of next.contacts) session.keepUser(contact);
  known.value = next;
  return true;
}

/** Asks for both anew. Answers whether the server did. */
export async function loadAcquaintance(session: Session): Promise<boolean> {
  const [isKnown, blocked] = await Promise.all([loadContacts(session), session.call("blocks")]);
  if (blocked.ok) blocks.value = blocked.value.blocks;
  return isKnown && blocked.ok;
}
