import { signal } from "@preact/signals";
import type { Contact, Profile } from "../../src/protocol/http.ts";
import type { Session } from "./session.ts";

/** Whom I know and whom I block, as far as it was asked last. */
export const contacts = signal<readonly Contact[]>([]);
export const blocks = signal<readonly Profile[]>([]);

/** Asks for both anew. Answers whether the server did. */
export async function loadAcquaintance(session: Session): Promise<boolean> {
  const [known, blocked] = await Promise.all([session.call("contacts"), session.call("blocks")]);
  if (known.ok) contacts.value = known.value.contacts;
  if (blocked.ok) blocks.value = blocked.value.blocks;
  return known.ok && blocked.ok;
}
