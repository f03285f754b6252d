import type { MemberChange } from "../domain/membership.ts";
import type { ConversationId } from "../protocol/ids.ts";
import type { ConversationStore, Facts } from "../storage/conversation-store.ts";
import type { OpenRequest } from "./rpc.ts";

type OpenGroup = Extract<OpenRequest, { kind: "group" }>;

/** The rows of a new conversation; a group's members come with its first events. `createdAt`: epoch ms. */
export function create(
  store: ConversationStore,
  conversationId: ConversationId,
  request: OpenRequest,
  createdAt: number,
): void {
  const { kind } = request;
  const group = kind === "group" ? { title: request.title, fingerprint: request.fingerprint } : {};
  store.create({ conversationId, kind, createdAt, ...group });
  if (kind === "direct")
    for (const userId of request.memberIds) store.putMember({ userId, role: "member", spans: [[1, null]] });
}

/** Whether the conversation that is there is what somebody asks to open. */
export const isSameOpening = (facts: Facts, request: OpenRequest): boolean =>
  request.kind === "direct" || facts.fingerprint === request.fingerprint;

export function firstMembers({ makerId, memberIds }: OpenGroup): MemberChange[] {
  const others = memberIds.map((userId): MemberChange => ({ userId, change: "added", role: "member" }));
  return [{ userId: makerId, change: "added", role: "admin" }, ...others];
}
