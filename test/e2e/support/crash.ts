import { setTimeout as sleep } from "node:timers/promises";
import type { Facts, Sight } from "./check.ts";
import { type Device, signIn } from "./client.ts";
import { must } from "./door.ts";
import { walkHistory } from "./history.ts";
import { Load, populate, settle, type World } from "./load.ts";
import { PATIENCE_MS } from "./patience.ts";
import { between, seeded } from "./random.ts";
import { bugsIn, type Server } from "./server.ts";
import { shippedCounts } from "./shipped.ts";

export type CrashOptions = {
  seed: number;
  rounds: number;
  /** Milliseconds of load before each kill, at least and at most. */
  loadMs: [number, number];
  tell?: (line: string) => void;
};
/** Fewer would be no load. */
const ACKED_A_ROUND = 60;
export type CrashReport = {
  facts: Facts;
  /** Answers that the contract does not allow, by device; and what did not come in time. */
  faults: string[];
  acked: number;
  /** Wishes whose first ack was lost, so that a repeat was answered `duplicate`. */
  duplicates: number;
};

/** Load, `kill -9`, restart on the same data, several times; then gathers everything that the clients saw. */
export async function crashRun(
  server: Server,
  { seed, rounds, loadMs, tell = () => {} }: CrashOptions,
): Promise<CrashReport> {
  const random = seeded(seed);
  const world = await populate(server.url, `c${seed.toString(36)}`);
  const load = new Load(world, seed);
  load.start();
  for (let round = 1; round <= rounds; round++) {
    await worked(world, between(random, ...loadMs));
    await server.kill9();
    const waiting = world.devices.reduce((sum, device) => sum + device.outbox.waiting.length, 0);
    const startMs = await server.start();
    tell(`round ${round}: killed with ${waiting} wishes in flight, back after ${startMs} ms`);
  }
  await worked(world, between(random, ...loadMs));
  await load.stop();
  await settle(world.devices);
  const early = await leaveSomeBehind(server, load, between(random, ...loadMs), random() < 0.5);
  const { facts, faults } = await gather(server, world);
  return report(server, world, { facts, faults: [...early, ...faults] });
}

/** Lets the load go on for so long, and until it has got something done: a slow machine takes longer over it. */
async function worked({ devices }: World, ms: number): Promise<void> {
  const acked = () => devices.reduce((sum, device) => sum + device.outbox.acked.length, 0);
  const enough = acked() + ACKED_A_ROUND;
  await sleep(ms);
  for (const until = Date.now() + PATIENCE_MS; acked() < enough && Date.now() < until; ) await sleep(20);
}

/**
 * Everybody's second device is away while the talk goes on, and two people are with both of theirs; the server is killed as they leave
 * and perhaps before they return. What they lack, the index alone can tell them.
 */
async function leaveSomeBehind(server: Server, load: Load, ms: number, again: boolean): Promise<string[]> {
  const { devices, handles } = load.world;
  const present = devices.filter((device) => handles.slice(0, -2).some((handle) => device.name === `${handle}/first`));
  const faults = await resumeAll(load.world); // with cursors of this moment: whatever is said from now on lies past them
  for (const device of devices) device.cut();
  await server.kill9();
  await server.start();
  await settle(present);
  load.start(present);
  await sleep(ms);
  await load.stop();
  await settle(present);
  if (again) await server.kill9().then(() => server.start());
  return faults;
}

function report(
  server: Server,
  { devices }: World,
  { facts, faults }: { facts: Facts; faults: string[] },
): CrashReport {
  const logFaults = devices.flatMap((d) =>
    [...d.logs].flatMap(([id, log]) => log.faults.map((f) => `${d.name} ${id}: ${f}`)),
  );
  const strange = devices.flatMap((d) => (d.wire?.strange ?? []).map((text) => `${d.name} was sent ${text}`));
  const answers = devices.flatMap((d) => d.faults.map((fault) => `${d.name}: ${fault}`));
  const noise = bugsIn(server.output).map((line) => `the server printed ${line}`);
  const acked = devices.flatMap((device) => device.outbox.acked);
  const reminted = acked
    .filter((wish) => wish.reminted > 0)
    .map((wish) => `${wish.text} was overtaken and had to be minted again`);
  return {
    facts,
    faults: [...logFaults, ...strange, ...answers, ...noise, ...reminted, ...faults],
    acked: acked.length,
    duplicates: acked.filter((wish) => wish.ack.duplicate).length,
  };
}

/** Heads, every device's log after a resume, a device that was never here before, and the history door before and after shipping. */
async function gather(server: Server, world: World): Promise<{ facts: Facts; faults: string[] }> {
  const { url, devices } = world;
  const faults = await resumeAll(world);
  const heads = await headsOf(world);
  const newcomers = await Promise.all(world.handles.map((handle) => arrive(url, handle)));
  const sights = [...devices, ...newcomers].flatMap((device) => sightsOf(device, world));
  sights.push(...(await histories(world, "before shipping")));
  faults.push(...(await shipping(server, heads)));
  sights.push(...(await histories(world, "after shipping")));
  for (const device of newcomers) faults.push(...device.faults.map((fault) => `${device.name}: ${fault}`));
  for (const device of [...devices, ...newcomers]) device.cut();
  const ofDevice = <T>(of: (device: Device) => readonly T[]) =>
    devices.flatMap((device) => of(device).map((wish) => ({ ...wish, deviceId: device.deviceId })));
  return {
    facts: { sights, heads, acked: ofDevice((d) => d.outbox.acked), unacked: ofDevice((d) => d.outbox.waiting) },
    faults,
  };
}

/** Cuts everybody and resumes from the cursors they hold: what is past them must be listed, and is all they pull before `caught_up`. */
async function resumeAll(world: World): Promise<string[]> {
  const { devices, places } = world;
  for (const device of devices) device.cut();
  const heads = await headsOf(world);
  const faults = devices.map(async (device) => {
    const { mode } = await device.connect();
    await device.caughtUp();
    const mine = places.filter((place) => place.members.includes(device.userId)).map((place) => place.conversationId);
    const lacking = mine.filter((id) => device.log(id).held < (heads.get(id) ?? 0));
    const lacks = lacking.map((id) => `${device.name} was told caught_up, lacking ${id} from ${device.log(id).held}`);
    return mode === "resume" ? lacks : [...lacks, `${device.name} was answered ${mode}, holding a cursor`];
  });
  return (await Promise.all(faults)).flat();
}

async function headsOf({ url, devices, places }: World): Promise<Map<string, number>> {
  const heads = new Map<string, number>();
  for (const { conversationId, members } of places) {
    const token = devices.find((device) => device.userId === members[0])?.token ?? "";
    const { conversation } = await must(url, "conversation", { params: { id: conversationId }, token });
    heads.set(conversationId, conversation.head);
  }
  return heads;
}

async function arrive(url: string, handle: string): Promise<Device> {
  const device = await signIn(url, handle, "newcomer");
  await device.connect();
  await device.caughtUp();
  return device;
}

const sightsOf = (device: Device, { places }: World): Sight[] =>
  places
    .filter((place) => place.members.includes(device.userId))
    .map(({ conversationId }) => {
      const { floor, events } = device.log(conversationId);
      return { who: device.name, conversationId, floor, events };
    });

async function histories({ url, devices, places }: World, when: string): Promise<Sight[]> {
  const sights: Sight[] = [];
  for (const { conversationId, members } of places) {
    const token = devices.find((device) => device.userId === members.at(-1))?.token ?? "";
    for (const [direction, limit] of [
      ["after", 7],
      ["before", 11],
      ["after", 200],
      ["before", 200],
    ] as const) {
      const { floor, events } = await walkHistory({ url, token, conversationId, direction, limit });
      sights.push({ who: `history ${direction} ${limit} ${when}`, conversationId, floor, events });
    }
  }
  return sights;
}

/** Waits until the D1 shards on disk hold as many events as the logs. */
async function shipping(server: Server, heads: Map<string, number>, withinMs = PATIENCE_MS): Promise<string[]> {
  const lacking = () => {
    const shipped = shippedCounts(server.dataDir);
    return [...heads]
      .filter(([id, head]) => shipped.get(id) !== head)
      .map(([id, head]) => `${id}: ${shipped.get(id) ?? 0} of ${head}`);
  };
  for (const until = Date.now() + withinMs; Date.now() < until; await sleep(500)) if (lacking().length === 0) return [];
  return [`not shipped after ${withinMs} ms: ${lacking().join("; ")}`];
}
