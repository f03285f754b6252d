import { expect } from "vitest";
import { tombstoneOf } from "../../src/domain/life.ts";
import { Event } from "../../src/protocol/events.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import type { AnyDevice as Device, Wished } from "./any-device.ts";
import type { World } from "./world.ts";

/**
 * The invariant of the inbox's index, at every step: what a conversation believes delivered, and a device does not hold, is listed past
 * the device's cursor. A device on an unbroken wire may still be about to get it; any other one has only its cursor to find it by.
 */
export function checkIndex(world: World): void {
  const { server } = world;
  for (const device of world.devices) {
    if (device.online) continue;
    for (const id of world.conversations) {
      const believed = server.believedDelivered(id, device.userId);
      if (believed <= device.covered(id) || server.positionOf(device.userId, id) > device.position) continue;
      const missing = world
        .visible(id, device.userId)
        .filter((e) => e.seq > device.covered(id) && e.seq <= believed && e.deviceId !== device.deviceId);
      if (missing.length > 0)
        throw new Error(describe(world, device, id, `[IX] seq ${missing[0]?.seq} is not listed past the cursor`));
    }
  }
}

const describe = (world: World, device: Device, id: ConversationId, what: string): string =>
  `${what}: device ${device.deviceId.slice(-4)} of ${device.userId.slice(-4)} in ${id.slice(0, 5)}, cursor ${device.position}, ` +
  `row at ${world.server.positionOf(device.userId, id)}, holds ${device.covered(id)}, ` +
  `believed ${world.server.believedDelivered(id, device.userId)}, head ${world.server.logOf(id).length}`;

/** Once the world is at rest: every log is whole, every device holds exactly it, and every promise was kept. */
export function checkEnd(world: World): void {
  for (const id of world.conversations) {
    const log = world.server.logOf(id);
    expect(
      log.map((e) => e.seq),
      "gapless",
    ).toEqual(log.map((_, i) => i + 1));
    if (!world.isWhole || world.isSettled(id))
      // something may have expired since
      expect(world.server.historyOf(id), "history is the log").toEqual(log.map((e) => e.body));
    for (const device of world.devices) {
      const logged = world.visible(id, device.userId).map((e) => Event.parse(JSON.parse(e.body)));
      const visible = logged.map((e) => JSON.stringify(known(world, id, device.userId, e)));
      const held = device.events(id).map((e) => JSON.stringify(known(world, id, device.userId, e)));
      const [has, is] = [sortedKeys(held), sortedKeys(visible)];
      const at = has.findIndex((text, i) => text !== is[i]);
      expect(has, describe(world, device, id, `equal logs, but for ${has[at]} that is ${is[at]}`)).toEqual(is);
    }
  }
  for (const device of world.devices) checkPromises(world, device);
}

/** What its device may hold in one of two ways: what is over about now, and what the server has forgotten. */
function known(world: World, id: ConversationId, userId: UserId, event: Event): Event {
  if (!("content" in event)) return event;
  const isForgotten = world.life.logged(id, event.seq).includes('"delivered":true');
  const isUncertain = isForgotten || world.life.isAboutOver(id, event) || world.life.isUnheard(id, userId, event);
  return isUncertain ? (tombstoneOf(event, "expired") as Event) : event;
}

/** The same event, whatever the order of its fields. */
const sortedKeys = (texts: string[]) =>
  texts.map((t) => JSON.stringify(Object.entries(JSON.parse(t)).toSorted(([a], [b]) => (a < b ? -1 : 1))));

/** Each acked wish once, at its seq; each device's wishes in their order; nothing that was not wished for. */
function checkPromises(world: World, device: Device): void {
  for (const id of world.conversations) {
    const mine = world.server
      .logOf(id)
      .filter((e) => e.deviceId === device.deviceId)
      .map((e) => ({ seq: e.seq, text: device.wishes.find((w) => w.keyNow === e.key)?.text ?? "nobody's" }));
    const wished = device.wishes.filter((w) => w.conversationId === id);
    const mayBeGone = ({ text, mayBeLost }: Wished) => mayBeLost && !mine.some((e) => e.text === text);
    const kept = wished.filter((w) => w.failed === undefined && !mayBeGone(w));
    // A member who was out is refused; when that answer is lost and they are in again, the wish comes under a new key, after later ones.
    // So is who blocked the other one. And so may what is said of a message that was not there yet.
    const mayBeRefused = id.startsWith("g") || world.life.wasBlocked(id);
    const mayBeLate = (text: string) => kept.some((w) => w.text === text && w.reminted && (w.isLate || mayBeRefused));
    const inOrder = (texts: string[]) => [...texts.filter((t) => !mayBeLate(t)), ...texts.filter(mayBeLate).toSorted()];
    const texts = mine.map((e) => e.text);
    for (const place of new Set(wished.map((w) => w.place))) {
      const here = new Set(wished.filter((w) => w.place === place).map((w) => w.text));
      expect(
        inOrder(texts.filter((text) => here.has(text))),
        describe(world, device, id, "wishes in order, each once"),
      ).toEqual(inOrder(kept.filter((w) => w.place === place).map((w) => w.text)));
    }
    expect(texts.toSorted(), describe(world, device, id, "what was wished for, and nothing else")).toEqual(
      kept.map((w) => w.text).toSorted(),
    );
    for (const wish of kept)
      if (wish.ackedAt) expect(mine.find((e) => e.text === wish.text)?.seq, "acked at its seq").toBe(wish.ackedAt);
  }
}
