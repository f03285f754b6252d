import type { Conversation } from "../objects/conversation.ts";
import type { Inbox } from "../objects/inbox.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import type { Env } from "./env.ts";

/** An object as its callers see it: the same methods, answered later. */
type Remote<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/**
 * The only place where an id becomes a stub. A stub is broken by an exception: take a new one for each try. The casts say what the
 * runtime's own stub type says too, without the unions it makes of every answer.
 */
export const conversationOf = (env: Pick<Env, "CONVERSATIONS">, id: ConversationId) =>
  env.CONVERSATIONS.getByName(id) as unknown as Remote<Conversation>;
export const inboxOf = (env: Pick<Env, "INBOXES">, id: UserId) => env.INBOXES.getByName(id) as unknown as Remote<Inbox>;
