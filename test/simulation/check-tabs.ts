import { isCurrent } from "../../src/domain/membership.ts";
import { View } from "../../src/sdk/client/view.ts";
import { NOTHING_LIVE } from "../../src/sdk/live.ts";
import { unreadOf } from "./check-states.ts";
import { ClientDevice } from "./client-device.ts";
import type { Tab } from "./tab.ts";
import type { World } from "./world.ts";

const short = (id: string): string => id.slice(-4);

/** [CL-48] [CL-62] At rest: every tab of a device shows what lies on its disk, which is what the server has, and counts it right. */
export function checkTabs(world: World): void {
  for (const device of world.devices)
    if (device instanceof ClientDevice) for (const tab of device.tabs) checkTab(world, device, tab);
}

function checkTab(world: World, device: ClientDevice, { client, place }: Tab): void {
  if (!client) return;
  const { state, userId: me, deviceId } = device;
  const sight = { state, moment: { live: NOTHING_LIVE }, me, device: deviceId, now: client.serverNow };
  const stored = new View();
  for (const id of world.conversations) {
    const conversation = client.conversations.get(id);
    const where = `tab ${place} of ${short(deviceId)} in ${id.slice(0, 5)}`;
    const { typing, ...shown } = conversation.snapshot();
    const { typing: _, ...kept } = stored.snapshot(id, sight);
    if (typing.length > 0) throw new Error(`[CL-30] ${where} still shows that ${typing} type`);
    same(`[CL-48] ${where} shows`, shown, kept);
    same(`[CL-48] ${where} has the lines`, conversation.messages(), stored.lines(id, sight));
    if (!isCurrent(world.rosterOf(id).get(me)) || world.isWhole || world.isCrowd(id)) continue;
    same(`[CL-47] ${where} counts unread`, shown.unread, unreadOf(world, id, me, shown.read, shown.head));
  }
}

function same(what: string, is: unknown, wanted: unknown): void {
  const [has, wants] = [JSON.stringify(is), JSON.stringify(wanted)];
  if (has !== wants) throw new Error(`${what} ${has}, and not ${wants}`);
}
