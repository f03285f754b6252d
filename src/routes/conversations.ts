import type { Hono } from "hono";
import { ulid } from "ulid";
import type { OpenRequest, Outcome } from "../objects/rpc.ts";
import { ask, CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import { directId, fingerprintOf, groupId } from "../platform/conversation-ids.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount } from "../platform/http.ts";
import { conversationOf, inboxOf } from "../platform/stubs.ts";
import type { Summary } from "../protocol/frames.ts";
import { type Conversation, DOORS } from "../protocol/http.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, refuse } from "../protocol/result.ts";
import { existingUsers, profilesOf } from "../storage/directory.ts";

const LIST_PAGE = 50;
/** People named in one refusal. */
const NAMED = 50;

/** Opening, listing and steering conversations. The rules are the conversation's own. */
export function mountConversations(app: Hono<AppEnv>): void {
  mount(app, DOORS.openDirect, async ({ env, caller, params }) => {
    const peerId = params.userId;
    if (peerId === caller.userId) return refuse("invalid_request", "userId: a direct conversation has two members"); // [CV-2]
    const known = await existingUsers(env.DIRECTORY, [peerId]);
    if (!known.has(peerId)) return refuse("not_found");
    const id = await directId(caller.userId, peerId);
    const admitted = await admittedBy(env, caller.userId, [peerId], id);
    if (!admitted.ok) return admitted; // [CT-17]
    return openAndShow(env, id, caller.userId, { kind: "direct", memberIds: [caller.userId, peerId] });
  });

  mount(app, DOORS.createGroup, async ({ env, caller, body }) => {
    const memberIds = [...new Set(body.memberIds)].filter((userId) => userId !== caller.userId);
    if (memberIds.length + 1 > LIMITS.groupMembers) return refuse("group_full"); // [GR-5]
    const known = await existingUsers(env.DIRECTORY, memberIds);
    if (memberIds.some((userId) => !known.has(userId))) return refuse("not_found", "memberIds: no such user");
    const id = await groupId(caller.userId, body.idempotencyKey ?? ulid());
    const wish = { makerId: caller.userId, memberIds, title: body.title };
    const admitted = await admittedBy(env, caller.userId, memberIds, null);
    // [CT-18] A group that is made already is answered, whatever its members have chosen since. [CV-3]
    if (!admitted.ok && !(await describe(env, id, caller.userId)).ok) return admitted;
    return openAndShow(env, id, caller.userId, { kind: "group", ...wish, fingerprint: await fingerprintOf(wish) });
  });

  mount(app, DOORS.conversations, async ({ env, caller, query }) => {
    const below = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(query.cursor);
    if (!Number.isSafeInteger(below)) return refuse("invalid_request", "cursor: not one of ours");
    const page = await tryCall(
      async () => await inboxOf(env, caller.userId).list(caller.userId, below, query.limit ?? LIST_PAGE),
    );
    if (!page.ok) return page;
    const { conversations, next } = page.value;
    return ok({
      status: 200,
      body: {
        conversations: await withPeers(env, caller.userId, conversations.toSorted(newestFirst)),
        ...(next === null ? {} : { cursor: `${next}` }),
      },
    });
  });

  mount(app, DOORS.conversation, async ({ env, caller, params }) => {
    const conversation = await describe(env, params.id, caller.userId);
    return conversation.ok ? ok({ status: 200, body: { conversation: conversation.value } }) : conversation;
  });

  mount(app, DOORS.changeConversation, async ({ env, caller, params, body }) => {
    const changed = await ask(() =>
      conversationOf(env, params.id).set(caller.userId, {
        ...body,
        retentionMs: body.retentionMs ?? (body.retentionMs === null ? 0 : undefined),
      }),
    );
    if (!changed.ok) return changed;
    const conversation = await describe(env, params.id, caller.userId);
    return conversation.ok ? ok({ status: 200, body: { conversation: conversation.value } }) : conversation;
  });

  mount(app, DOORS.clearConversation, async ({ env, caller, params }) => {
    const cleared = await ask(() => inboxOf(env, caller.userId).clear(caller.userId, params.id));
    return cleared.ok ? ok({ status: 204, body: null }) : cleared;
  });

  mount(app, DOORS.deleteEvent, async ({ env, caller: { userId }, params: { id, seq } }) => {
    const deleted = await ask(() => inboxOf(env, userId).deleteFor(userId, id, seq));
    return deleted.ok ? ok({ status: 204, body: null }) : deleted;
  });

  mount(app, DOORS.changeMine, async ({ env, caller, params, body }) => {
    const mine = await ask(() => inboxOf(env, caller.userId).setMine(caller.userId, params.id, body));
    return mine.ok ? ok({ status: 200, body: mine.value }) : mine;
  });

  mount(app, DOORS.conversationPresence, async ({ env, caller, params }) => {
    const conversation = await describe(env, params.id, caller.userId);
    if (!conversation.ok) return conversation;
    if (conversation.value.mine.role === null) return refuse("not_member");
    const others = conversation.value.members.map((m) => m.userId).filter((id) => id !== caller.userId);
    const users = await tryCall(() => inboxOf(env, caller.userId).look(caller.userId, others), 1); // [PR-9]
    return users.ok ? ok({ status: 200, body: { users: users.value } }) : users;
  });

  mount(app, DOORS.putMember, async ({ env, caller, params, body }) => {
    const known = await existingUsers(env.DIRECTORY, [params.userId]);
    if (!known.has(params.userId)) return refuse("not_found", "userId: no such user");
    const admitted = await admittedBy(env, caller.userId, [params.userId], null);
    if (!admitted.ok && admitted.code !== "forbidden") return admitted;
    const member = { actorId: caller.userId, userId: params.userId, role: body.role, declined: !admitted.ok };
    const put = await ask(() => conversationOf(env, params.id).putMember(member));
    if (!put.ok) return put;
    const conversation = await describe(env, params.id, caller.userId);
    if (!conversation.ok) return conversation;
    return ok({ status: put.value.added ? 201 : 200, body: { conversation: conversation.value } });
  });

  mount(app, DOORS.removeMember, async ({ env, caller, params }) => {
    const removed = await ask(() =>
      conversationOf(env, params.id).removeMember({ actorId: caller.userId, userId: params.userId }),
    );
    return removed.ok ? ok({ status: 204, body: null }) : removed;
  });
}

/** [CT-17] [CT-18] Each of these people says for themselves; who does not let this one is named, for the caller has named them. */
async function admittedBy(
  env: Env,
  callerId: UserId,
  userIds: readonly UserId[],
  id: ConversationId | null,
): Promise<Outcome<null>> {
  const answers = await mapWindowed(userIds, CALL_WINDOW, (userId) =>
    tryCall(async () => await inboxOf(env, userId).admits(callerId, id)),
  );
  const closed = userIds.filter((_, i) => answers[i]?.ok && answers[i].value === false);
  if (closed.length > 0) return refuse("forbidden", `declined by: ${closed.slice(0, NAMED).join(" ")}`);
  return answers.every(({ ok }) => ok) ? ok(null) : refuse("unavailable");
}

const describe = (env: Env, id: ConversationId, userId: UserId): Promise<Outcome<Conversation>> =>
  ask(() => conversationOf(env, id).describe(userId));

async function openAndShow(env: Env, id: ConversationId, userId: UserId, request: OpenRequest) {
  const opened = await ask(() => conversationOf(env, id).open(id, request));
  if (!opened.ok) return opened;
  const tracked = await tryCall(() => inboxOf(env, userId).track(id));
  if (!tracked.ok) return tracked;
  const conversation = await describe(env, id, userId);
  if (!conversation.ok) return conversation;
  return ok({
    status: opened.value.created ? (201 as const) : (200 as const),
    body: { conversation: conversation.value },
  });
}

/** The index is in the order in which conversations changed past a cursor, which is coarse; people want the last message first. */
const newestFirst = (a: Summary, b: Summary): number => (b.lastEvent?.receivedAt ?? 0) - (a.lastEvent?.receivedAt ?? 0);

/** With names for the other side of direct conversations. */
async function withPeers(env: Env, viewerId: UserId, conversations: Summary[]) {
  const profiles = await profilesOf(
    env.DIRECTORY,
    viewerId,
    conversations.flatMap((c) => (c.peer ? [c.peer.userId] : [])),
  );
  return conversations.map((c) => (c.peer ? { ...c, peer: profiles.get(c.peer.userId) ?? c.peer } : c));
}
