import { computed, effect, signal } from "@preact/signals";
import type { Contact, Profile } from "../wire.ts";
import type { Session } from "./session.ts";

/** Whom I know, as the SDK keeps it; whom I block, as it was asked last. */
export const contacts = signal<readonly Contact[]>([]);
export const blocks = signal<readonly Profile[]>([]);
/** Whether both were asked for: whoever is in neither is a stranger then. */
export const isAcquainted = signal(false);
/** How many ask to be my contact. */
export const incoming = computed(() => contacts.value.filter(({ state }) => state === "incoming").length);

/** Asks for both anew. From then on my contacts stay as they are on the server. Answers whether it did. */
export async function loadAcquaintance(session: Session): Promise<boolean> {
  const [isKnown, blocked] = await Promise.all([loadContacts(session), session.call("blocks")]);
  if (blocked.ok) blocks.value = blocked.value.blocks;
  isAcquainted.value ||= isKnown && blocked.ok;
  return isKnown && blocked.ok;
}

/** [CL-52] Answers whether the server told. */
export async function loadContacts(session: Session): Promise<boolean> {
  follow(session);
  return session.client.contacts.load().then(
    () => true,
    () => false,
  );
}

let followed: Session | null = null;
function follow(session: Session): void {
  if (followed === session) return;
  followed = session;
  effect(() => {
    contacts.value = session.contacts.value;
  });
}
