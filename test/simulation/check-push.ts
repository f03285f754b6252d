import { mentionsOf } from "../../src/domain/life.ts";
import { canSee } from "../../src/domain/membership.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import type { AnyDevice as Device } from "./any-device.ts";
import type { Said } from "./witness.ts";
import type { World } from "./world.ts";

/** Two clocks of the server may be this far apart, and a message that late. Ms. */
const APART_MS = 5_000;

/**
 * Once the faults have ended and everything is delivered, with every device left as it was: who was owed a push has it. Owed: for a
 * message of somebody else that the device does not hold, if it had a subscription and no mute from before the message on.
 */
export function checkPushes(world: World): void {
  for (const id of world.conversations)
    for (const said of world.witness.said.get(id) ?? [])
      for (const device of world.devices) if (isOwed(world, device, id, said)) checkRung(world, device, id, said);
  checkOnce(world);
}

function isOwed(world: World, device: Device, id: ConversationId, { event, at }: Said): boolean {
  const { userId } = device;
  const member = world.rosterOf(id).get(userId);
  if (world.server.logOf(id)[event.seq - 1]?.kind === "gone") return false; // [LM-9]
  if (world.life.wasBlocked(id)) return false; // [BL-2]
  if (event.senderId === userId || !member || !canSee(member, event.seq)) return false;
  const since = world.settings.subscribedSince(device.deviceId);
  if (since === null || since >= at || device.covered(id) >= event.seq) return false;
  if (world.settings.wasChoosing(userId, id, at - APART_MS)) return false;
  const isNamed = mentionsOf(event.content).includes(userId);
  return world.witness
    .choicesSince(userId, id, at - APART_MS)
    .every(
      ({ at: from, mine }) =>
        (mine.mutedUntil ?? 0) < Math.max(from, at - APART_MS) || (isNamed && mine.mentionsPierce),
    );
}

function checkRung(world: World, device: Device, id: ConversationId, { event, at }: Said): void {
  const { deviceId, userId } = device;
  const isRung = ({ job }: World["server"]["pushes"]["puts"][number]) =>
    job.kind === "message" && job.deviceId === deviceId && job.conversationId === id && job.seq >= event.seq;
  if (world.server.pushes.puts.some(isRung)) return;
  const what = `device ${deviceId.slice(-4)} of ${userId.slice(-4)} was not rung in ${id.slice(0, 5)} for ${event.seq}, said at ${at - world.startedAt}`;
  const put = world.witness.putOn(deviceId, id, event.seq);
  if (!put) throw new Error(`[PU-1] ${what}`);
  // Put on a socket of the device, which was dead: it is rung, unless another device of the person has it, or it has been back since.
  const others = world.devices.filter((other) => other.userId === userId);
  const isHeld = others.some((other) => (other.everHeld.get(id) ?? 0) >= event.seq);
  if (!isHeld && !world.isCrowd(id) && !put.showedLife && device.welcomedAt < at) throw new Error(`[PU-7] ${what}`);
}

/** [PU-1] Once for a message, as long as the inbox remembers. */
function checkOnce({ server }: World): void {
  const seen = new Set<string>();
  for (const { job, life, sure } of server.pushes.puts) {
    if (job.kind !== "message" || !sure) continue;
    const one = `${job.deviceId} ${job.conversationId} ${job.seq} ${life}`;
    if (seen.has(one)) throw new Error(`[PU-1] rung twice: ${one}`);
    seen.add(one);
  }
}
