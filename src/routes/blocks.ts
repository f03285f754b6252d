import type { Hono } from "hono";
import { tryCall } from "../platform/calls.ts";
import { directId } from "../platform/conversation-ids.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { conversationOf, inboxOf } from "../platform/stubs.ts";
import { tellUntilSame } from "../platform/tell.ts";
import { DOORS } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { blocksOf, isBlocked, putBlock, removeBlock } from "../storage/blocks.ts";
import { hearRequest, standingOf } from "../storage/contacts.ts";
import { existingUsers } from "../storage/directory.ts";
import { endContact } from "./contacts.ts";

const NOTHING = ok({ status: 204 as const, body: null });

/** Blocks live in the directory. The pair's conversation and the blocker's inbox keep a copy each, because they go by it. */
export function mountBlocks(app: Hono<AppEnv>): void {
  mount(app, DOORS.blocks, async ({ env, caller }) =>
    ok({ status: 200, body: { blocks: await blocksOf(env.DIRECTORY, caller.userId) } }),
  );
  mount(app, DOORS.block, block);
  mount(app, DOORS.unblock, unblock);
}

async function block({ env, caller, params: { userId } }: Visit<typeof DOORS.block>) {
  if (userId === caller.userId) return refuse("invalid_request", "userId: nobody blocks themselves");
  if (!(await existingUsers(env.DIRECTORY, [userId])).has(userId)) return refuse("not_found");
  if (!(await putBlock(env.DIRECTORY, caller.userId, userId, LIMITS.blocks))) return refuse("too_many_blocks"); // [BL-7]
  const settled = await settle(env, caller.userId, userId, true);
  if (!settled.ok) return settled;
  const ended = await endContact(env, caller.userId, userId, false); // [BL-6] [BL-4]
  return ended.ok ? NOTHING : ended;
}

async function unblock({ env, caller, params: { userId } }: Visit<typeof DOORS.unblock>) {
  if (userId === caller.userId || !(await existingUsers(env.DIRECTORY, [userId])).has(userId)) return NOTHING;
  await removeBlock(env.DIRECTORY, caller.userId, userId);
  const settled = await settle(env, caller.userId, userId, false);
  if (!settled.ok) return settled;
  await hearRequest(env.DIRECTORY, caller.userId, userId);
  const { state, version } = await standingOf(env.DIRECTORY, caller.userId, userId);
  if (state !== "incoming") return NOTHING;
  const told = await tryCall(
    async () => await inboxOf(env, caller.userId).setContact(userId, false, version, "changed"),
  );
  return told.ok ? NOTHING : told;
}

/** [BL-8] The row first, then the copies, until they say the same: however blocking and unblocking cross, and also when a try was cut short. */
const settle = (env: Env, userId: UserId, otherId: UserId, blocked: boolean) =>
  tellUntilSame(
    blocked,
    (state) => tell(env, userId, otherId, state),
    () => isBlocked(env.DIRECTORY, userId, otherId),
  );

async function tell(
  env: Env,
  userId: UserId,
  otherId: UserId,
  blocked: boolean,
): Promise<Result<unknown, "unavailable">> {
  const [hidden, inbox] = await Promise.all([
    hide(env, userId, otherId, blocked),
    tryCall(async () => await inboxOf(env, userId).setBlocked(otherId, blocked)),
  ]);
  return hidden.ok ? inbox : hidden;
}

/** [BL-9] Blocking opens the conversation that has not begun, so that it knows from its first message on. */
async function hide(env: Env, userId: UserId, otherId: UserId, blocked: boolean) {
  const id = await directId(userId, otherId);
  const open = () => conversationOf(env, id).open(id, { kind: "direct", memberIds: [userId, otherId] });
  const opened = blocked ? await tryCall(open) : ok(undefined);
  return opened.ok ? tryCall(() => conversationOf(env, id).setBlock(userId, blocked)) : opened;
}
