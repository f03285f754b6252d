import { isConversationId, isCount, isFields } from "./checks.ts";
import type { ConversationId } from "./wire.ts";

/** What a shown notification keeps of its push: one a conversation. */
/** `expiresAt`: when the message disappears (epoch ms). */
export type Rung = { conversationId: ConversationId; seq: number; unread: number; expiresAt?: number };

const isRung = (data: unknown): data is Rung =>
  isFields(data) &&
  isConversationId(data.conversationId) &&
  isCount(data.seq, 1) &&
  isCount(data.unread) &&
  (data.expiresAt === undefined || isCount(data.expiresAt));

/** The notifications that are shown now; of all conversations, or of one. */
export async function rungOf(
  registration: ServiceWorkerRegistration,
  conversationId?: ConversationId,
): Promise<{ notification: Notification; rung: Rung }[]> {
  const shown = await registration.getNotifications(conversationId === undefined ? {} : { tag: conversationId });
  return shown.flatMap((notification) => {
    const rung: unknown = notification.data;
    return isRung(rung) ? [{ notification, rung }] : [];
  });
}

/** [PU-38] Takes down what rang for messages up to `seq`: they were read, here or elsewhere. */
export async function takeDown(
  registration: ServiceWorkerRegistration,
  conversationId: ConversationId,
  seq: number,
): Promise<void> {
  const shown = await rungOf(registration, conversationId);
  for (const { notification, rung } of shown) if (rung.seq <= seq) notification.close();
  await showBadge(registration);
}

/** [LM-18] Takes down what rang for messages that have disappeared meanwhile. `now`: epoch ms. */
export async function takeDownExpired(registration: ServiceWorkerRegistration, now: number): Promise<void> {
  for (const { notification, rung } of await rungOf(registration))
    if (rung.expiresAt !== undefined && rung.expiresAt <= now) notification.close();
}

/** [LM-9] Takes down what rang for this message alone: it is gone. */
export async function takeDownOne(
  registration: ServiceWorkerRegistration,
  conversationId: ConversationId,
  seq: number,
): Promise<void> {
  const shown = await rungOf(registration, conversationId);
  for (const { notification, rung } of shown) if (rung.seq === seq) notification.close();
  await showBadge(registration);
}

/** [PU-38] The number on the app's icon: the unread messages of all conversations that have rung. Nothing where there are no such icons. */
export async function showBadge(registration: ServiceWorkerRegistration): Promise<void> {
  if (!("setAppBadge" in navigator)) return;
  const unread = (await rungOf(registration)).reduce((sum, { rung }) => sum + rung.unread, 0);
  await navigator.setAppBadge(unread).catch(() => {}); // the person may have forbidden it
}
