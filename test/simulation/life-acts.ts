import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import type { AnyDevice as Device } from "./any-device.ts";
import type { World } from "./world.ts";

/** What ends the life of a message, or keeps it from somebody: each by a call that may fail. */

/** For a while, or for ever. */
export function retain(world: World, { userId }: Device, id: ConversationId): void {
  const { works } = world;
  const retentionMs = works.chance(0.75) ? 20_000 + works.pick(100_000) : 0;
  world.call("CONVERSATIONS", id, "set", userId, { retentionMs }).catch(() => {});
}

/** The deployer sets a time for all messages, and every object starts anew with it. */
export function setAge(world: World): void {
  if (!world.mayAge || world.keepMs > 0) return;
  world.keepMs = 150_000;
  world.works.note(`RETENTION_DAYS ${world.keepMs} ms`);
  world.server.runtime.env.RETENTION_DAYS = String(world.keepMs / (24 * 60 * 60_000));
  for (const host of world.server.runtime.hosts.values()) host.crash();
}

export function clear(world: World, { userId }: Device, id: ConversationId): void {
  if (world.rosterOf(id).has(userId)) world.settings.clear(userId, id);
}

/** One message, mostly a late one, for oneself. */
export function deleteOne(world: World, { userId }: Device, id: ConversationId): void {
  const messages = world.visible(id, userId).filter(({ kind }) => kind === "message" || kind === "gone");
  const message = messages.at(-1 - world.works.pick(Math.min(messages.length, 8)));
  if (message) world.settings.deleteFor(userId, id, message.seq);
}

/** As the door does: the copies are told until they were. */
export function block(world: World, { userId }: Device, id: ConversationId): void {
  const roster = world.rosterOf(id);
  if (!id.startsWith("d") || !roster.has(userId)) return;
  const otherId = [...roster.keys()].find((one) => one !== userId) as UserId;
  const blocks = !(roster.get(userId)?.hidden?.at(-1)?.[1] === null);
  world.settings.block({ userId, otherId, id, blocks });
}

export function leave(world: World, { userId }: Device, id: ConversationId): void {
  if (!id.startsWith("g")) return;
  world.call("CONVERSATIONS", id, "removeMember", { actorId: userId, userId }).catch(() => {});
}

/** Whoever is out comes in by it, unless they were removed and it does not say so. */
export function invite(world: World, { userId }: Device, id: ConversationId): void {
  const [makerId] = world.people as [UserId, ...UserId[]];
  if (!id.startsWith("g")) return;
  const code = `code-${world.newText()}`;
  const wish = { readmits: world.works.chance(0.6) };
  world
    .call("CONVERSATIONS", id, "invite", makerId, code, wish)
    .then(() => world.call("CONVERSATIONS", id, "join", userId, code))
    .catch(() => {});
}

/** Somebody signs in on one more device. */
export function addDevice(world: World, { userId }: Device): void {
  if (world.devices.filter((device) => device.userId === userId).length < 4) world.addDevice(userId).goOnline();
}
