import { isBlocking, isCurrent } from "../../src/domain/membership.ts";
import { ticksFor } from "../../src/domain/receipts.ts";
import type { Bell } from "../../src/domain/ringing.ts";
import { standing } from "../../src/domain/trail.ts";
import { bellFor } from "../../src/objects/bells.ts";
import type { ServerFrame, Summary } from "../../src/protocol/frames.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import type { AnyDevice as Device } from "./any-device.ts";
import type { World } from "./world.ts";

/** Who asks who is there has an answer by then. Ms. */
const WATCHED_WITHIN_MS = 10_000;
const short = (id: string): string => id.slice(-4);

/** [UN-1] Counted by hand: messages of others past `read`, up to `head`. */
export function unreadOf(
  world: World,
  id: ConversationId,
  userId: UserId,
  read: number,
  head: number,
  of = "message",
): number {
  return world
    .visible(id, userId)
    .filter(({ seq, senderId, kind }) => seq > read && seq <= head && senderId !== userId && kind === of).length;
}

/** [UN-1] What a conversation says of a member, at the moment in which it says so. */
export function checkCounted(world: World, id: ConversationId, userId: UserId, unread: number): void {
  const read = standing(world.server.trailOf(id, userId), "read");
  const counted = unreadOf(world, id, userId, read, Number.POSITIVE_INFINITY);
  if (counted !== unread)
    world.witness.bugs.push(
      `[UN-1] ${id.slice(0, 5)} says ${unread} unread of ${short(userId)} past ${read}: ${counted}`,
    );
}

/** [UN-1] What a `changed` frame says is right at the moment in which it was said. */
export function checkHeard(world: World, device: Device, frame: ServerFrame): void {
  if (frame.type !== "changed") return;
  for (const told of frame.conversations) {
    if (!("head" in told)) continue;
    const { conversationId, head, readSeq, unread } = told;
    const counted = unreadOf(world, conversationId, device.userId, readSeq, head);
    const gone = unreadOf(world, conversationId, device.userId, readSeq, head, "gone"); // perhaps since it was said
    if (world.isWhole && unread > counted) continue; // or it was cleared since
    if (unread < counted || unread > counted + gone)
      throw new Error(
        `[UN-1] ${short(device.userId)} is told ${unread} unread in ${conversationId.slice(0, 5)} past ${readSeq} up to ${head}, and there are ${counted}`,
      );
  }
}

/** At rest: what devices hold is what the conversations say, and every door tells the same number. */
export async function checkStates(world: World): Promise<void> {
  for (const id of world.conversations) {
    await world.through(() => world.server.conversation(id).enter(() => {})); // it may be asleep
    for (const device of world.devices) checkDevice(world, device, id);
  }
  for (const userId of world.people) await checkUnread(world, userId);
}

/** [RC-5] [RC-7] [RC-9] [UN-2] without anything being said again. */
function checkDevice(world: World, device: Device, id: ConversationId): void {
  const state = world.server.awake(id);
  const { userId } = device;
  const member = world.rosterOf(id).get(userId);
  if (!state || !isCurrent(member)) return;
  const where = `device ${short(device.deviceId)} of ${short(userId)} in ${id.slice(0, 5)}`;
  const trail = state.trail(userId);
  const held = device.held(id);
  const read = standing(trail, "read");
  if (world.isCrowd(id) || world.life.wasBlocked(id)) return; // what it has received may wait for a call; or was told to nobody
  if (held.read !== read) throw new Error(`[UN-2] ${where} holds read ${held.read}, and it is ${read}`);
  const theirs = held.events.findLast((event) => event.senderId !== userId)?.seq ?? 0;
  const delivered = standing(trail, "delivered");
  if (delivered < theirs) throw new Error(`[RC-4] ${where} holds ${theirs}, and only ${delivered} counts as delivered`);
  if (state.memberCount < 2) return; // nobody is left to receive
  const ticks = ticksFor(userId, state.roster, state.trails);
  for (const { seq, senderId, kind } of held.events) {
    if (senderId !== userId || kind !== "message") continue;
    for (const mark of ["delivered", "read"] as const)
      if (seq <= held.ticks[mark] !== seq <= ticks[mark])
        throw new Error(
          `[RC-9] ${where} shows ${seq} by ticks ${JSON.stringify(held.ticks)}, and they are ${JSON.stringify(ticks)}`,
        );
  }
}

async function checkUnread(world: World, userId: UserId): Promise<void> {
  const inbox = world.server.inbox(userId);
  type List = { list: (userId: UserId, below: number, limit: number) => Promise<{ conversations: Summary[] }> };
  const list = () => inbox.enter((object) => (object as unknown as List).list(userId, Number.MAX_SAFE_INTEGER, 100));
  const there = (id: ConversationId) => unreadOf(world, id, userId, 0, Number.POSITIVE_INFINITY);
  const before = new Map(world.conversations.map((id) => [id, there(id)]));
  const { conversations } = await world.through(list);
  for (const id of world.conversations) {
    const member = world.rosterOf(id).get(userId);
    const state = world.server.awake(id);
    if (!member || !state || before.get(id) !== there(id)) continue; // something's time has run out meanwhile
    const told = conversations.find(({ conversationId }) => conversationId === id);
    const where = `${short(userId)} in ${id.slice(0, 5)}`;
    if (!told) throw new Error(`[UN-1] ${where} is not listed`);
    const read = standing(state.trail(userId), "read");
    const counted = unreadOf(world, id, userId, read, state.head);
    const bell: Bell | null = bellFor(state, userId, 1, state.head);
    const hushed = isBlocking(member) ? counted : 0; // [BL-2] nothing rings for who blocks
    const numbers = { list: told.unread, bell: bell?.unread ?? hushed, counted };
    if (told.readSeq !== read || new Set(Object.values(numbers)).size > 1)
      throw new Error(`[UN-1] ${where}: ${JSON.stringify(numbers)} past ${read}, told ${told.readSeq}`);
  }
}

/** [PR-7] [OV-3] Who watches sees who is there; nothing is left out any more. */
export function checkLive(world: World): void {
  for (const device of world.devices) {
    if (device.welcomedAt > world.server.now - WATCHED_WITHIN_MS) continue; // its token ran out, and it has just come back
    if (device.phase !== "live") continue;
    const { presence, shed } = device.live;
    if (shed.length > 0) throw new Error(`[OV-3] ${short(device.deviceId)} is still told that ${shed} are left out`);
    for (const userId of device.watched) {
      const told = presence.find((one) => one.userId === userId)?.state;
      if (world.life.wasBlockedBetween(userId, device.userId)) continue; // [BL-5]
      if (world.truth.isCertain(userId) && told !== "online")
        throw new Error(`[PR-7] ${short(device.deviceId)} shows ${told} for ${short(userId)}, who is there`);
    }
  }
}
