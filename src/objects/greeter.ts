import { ask, CALL_WINDOW, mapWindowed } from "../platform/calls.ts";
import type { Changed } from "../protocol/frames.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { Outcome } from "./rpc.ts";

type Attend = (conversationId: ConversationId, userId: UserId) => Promise<Outcome<Changed>>;
type Told = { changed: (conversations: Changed[]) => void; caughtUp: (position: number) => void };

/**
 * Brings a device up to date: lists what changed past its cursor, asks each conversation how it stands, and says `caught_up` with the
 * position at which the listing was made. What changes meanwhile reaches the socket live.
 */
export async function greet(
  { userId, from }: { userId: UserId; from: number | null },
  store: InboxStore,
  attend: Attend,
  tell: Told,
): Promise<void> {
  const position = store.top;
  const rows = store.changedPast(from ?? 0);
  for (let i = 0; i < rows.length; i += LIMITS.listPage) {
    const page = rows.slice(i, i + LIMITS.listPage);
    tell.changed(
      await mapWindowed(page, CALL_WINDOW, ({ conversationId }) => attended(attend, conversationId, userId)),
    );
  }
  tell.caughtUp(position);
}

/** [IX-5] A conversation that cannot be asked is listed all the same: the device pulls until it answers, and keeps its cursor until then. */
async function attended(attend: Attend, conversationId: ConversationId, userId: UserId): Promise<Changed> {
  const summary = await ask(() => attend(conversationId, userId), 2);
  return summary.ok ? summary.value : { conversationId };
}
