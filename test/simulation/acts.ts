import type { Outcome } from "../../src/objects/rpc.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import type { AnyDevice as Device } from "./any-device.ts";
import { ClientDevice } from "./client-device.ts";
import { addDevice, block, clear, deleteOne, invite, leave, retain, setAge } from "./life-acts.ts";
import type { World } from "./world.ts";

/** A slow disk holds up what a whole client tells. Ms. */
const TOLD_BY_CLIENTS_MS = 8_000;
type Act = (world: World, device: Device, id: ConversationId) => void;

/** What people, networks and machines do, and how often out of a hundred. */
const ACTS: readonly [share: number, act: Act][] = [
  [41, say],
  [10, (_, device, id) => device.read(id)],
  [6, goOnline],
  [5, (_, device) => device.goOffline()],
  [6, (_, device) => device.cut("the network")],
  [2, (_, device) => device.crash()],
  [6, (world) => anyHost(world).evict()],
  [5, (world) => anyHost(world).crash()],
  [4, changeMembers],
  [5, chooseMine],
  [
    3,
    (world, device) =>
      world.works.chance(0.6) ? world.settings.subscribe(device) : world.settings.unsubscribe(device),
  ],
  [2, watch],
  [2, (world, device, id) => device.type(id, world.works.chance(0.7))],
  [3, (world) => world.leaveAlone(world.works.pick(90_000))],
];

/** The same people, who also speak of what was said before; others say less for it. */
const LATE_ACTS: typeof ACTS = [[24, say], [17, speakOfIt], ...ACTS.slice(1)];

/** All that may end the life of a message, or keep it from somebody. */
const WHOLE_ACTS: typeof ACTS = [
  [20, say],
  [10, speakOfIt],
  [3, retain],
  [3, clear],
  [6, deleteOne],
  [4, block],
  [2, leave],
  [2, invite],
  [1, addDevice],
  [1, setAge],
  [3, (world) => world.leaveAlone(world.works.pick(200_000))],
  ...ACTS.slice(1),
];
const SHARES = WHOLE_ACTS.reduce((sum, [share]) => sum + share, 0);

export function act(world: World): void {
  const { works } = world;
  const device = world.devices[works.pick(world.devices.length)] as Device;
  const id = world.conversations[works.pick(world.conversations.length)] as ConversationId;
  if (device instanceof ClientDevice && works.chance(0.1)) {
    device.fiddle(id);
    return;
  }
  let dice = works.pick(world.isWhole ? SHARES : 100);
  for (const [share, act] of world.isWhole ? WHOLE_ACTS : world.speaksLate ? LATE_ACTS : ACTS) {
    if (dice >= 0 && dice < share) act(world, device, id);
    dice -= share;
  }
}

/** What breaks last is mended by nothing that people do. */
export function lastBlow({ server, devices, works }: World): void {
  for (const device of devices) if (works.chance(0.3)) device.cut("the network");
  for (const host of server.runtime.hosts.values()) if (works.chance(0.3)) host.crash();
}

/** Into the quiet: a word in each conversation, somebody reads it, and what knows of that dies before it has written it down. */
export async function lastWord(world: World): Promise<void> {
  const { works, server } = world;
  await saidAndRead(world);
  // Not sooner: news that dies in the courier's hands, of what is written already, reaches the author with the next news alone.
  await world.pass(world.hasClients ? TOLD_BY_CLIENTS_MS : 700 + works.pick(900));
  for (const host of server.runtime.hosts.values())
    if (works.chance(host.name.startsWith("conversation") ? 0.6 : 0.1)) host.crash();
}

/** And once more: somebody reads, and the ticks are on their way, to an author's inbox or to a device, when that inbox dies. */
export async function lastTicks(world: World): Promise<void> {
  const { works, server } = world;
  await saidAndRead(world);
  await world.pass(150 + works.pick(300));
  for (const host of server.runtime.hosts.values())
    if (host.name.startsWith("inbox") && works.chance(0.5)) host.crash();
}

async function saidAndRead(world: World): Promise<void> {
  const { works, devices } = world;
  for (const id of world.conversations) say(world, devices[works.pick(devices.length)] as Device, id);
  await world.pass(900);
  for (const device of devices) for (const id of world.conversations) if (works.chance(0.4)) device.read(id);
}

const anyHost = ({ server, works }: World) => {
  const hosts = [...server.runtime.hosts.values()];
  return hosts[works.pick(hosts.length)] as (typeof hosts)[number];
};

/** Often several in a row, so that calls overtake each other. */
function say(world: World, device: Device, id: ConversationId): void {
  if (!world.rosterOf(id).has(device.userId)) return;
  for (let n = 1 + world.works.pick(3); n > 0; n--)
    device.say(id, world.newText(), world.works.chance(0.2) ? [anybody(world)] : []);
}

/** Edits, recalls, reactions: mostly of what is there and theirs, and at times of what is not. */
function speakOfIt(world: World, device: Device, id: ConversationId): void {
  const { works } = world;
  if (!world.rosterOf(id).has(device.userId)) return;
  const messages = device
    .events(id)
    .filter(({ kind, senderId }) => kind === "message" && (works.chance(0.3) || senderId === device.userId));
  const targetSeq = messages[works.pick(Math.max(1, messages.length))]?.seq ?? 1 + works.pick(5);
  const label = world.newText();
  const dice = works.pick(3);
  if (dice === 0) device.wish(id, label, { kind: "edit", targetSeq, content: { type: "text", text: label } });
  else if (dice === 1) device.wish(id, label, { kind: "recall", targetSeq });
  else device.wish(id, label, { kind: "reaction", targetSeq, emoji: works.chance(0.7) ? "👍" : null });
}

const anybody = ({ people, works }: World): UserId => people[works.pick(people.length)] as UserId;

function goOnline(world: World, device: Device): void {
  if (world.away.has(device.userId) && world.works.chance(0.8)) return;
  device.background = world.works.chance(0.2);
  device.goOnline();
}

function changeMembers(world: World, _: Device, id: ConversationId): void {
  if (!id.startsWith("g")) return;
  const [actorId, ...others] = world.people as [UserId, ...UserId[]];
  const userId = others[world.works.pick(others.length)];
  const method = world.works.chance(0.5) ? "putMember" : "removeMember";
  world
    .call("CONVERSATIONS", id, method, { actorId, userId, role: "member" })
    .then((outcome) => world.works.note(`${method} ${userId?.slice(-4)} ${(outcome as Outcome<unknown>).ok}`))
    .catch(() => {});
}

/** For a while, for ever, or not any more. */
export function chooseMine(world: World, { userId }: Device, id: ConversationId): void {
  if (!world.rosterOf(id).has(userId)) return;
  const { works } = world;
  const ends = works.chance(0.8) ? works.now + 5_000 + works.pick(60_000) : works.now + 1e12;
  const mutedUntil = works.chance(0.6) ? ends : null;
  world.settings.choose(userId, id, { mutedUntil, mentionsPierce: works.chance(0.5) });
}

function watch(world: World, device: Device): void {
  device.watch(world.people.filter((userId) => userId !== device.userId && world.works.chance(0.7)));
}
