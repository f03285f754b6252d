import { setTimeout as sleep } from "node:timers/promises";
import { type Device, signIn, signUp } from "./client.ts";
import { call, must } from "./door.ts";
import { PATIENCE_MS } from "./patience.ts";
import { between, pick, type Random, seeded } from "./random.ts";

/** Who talks where. The first member of a group made it. */
type Place = { conversationId: string; members: readonly string[]; isGroup: boolean };
export type World = { url: string; handles: string[]; devices: Device[]; places: Place[] };

const PEOPLE = 5;
const MAX_WAITING = 8;

/** People with two devices each, all connected; a ring of direct conversations, a group of all and a group of three. */
export async function populate(url: string, tag: string): Promise<World> {
  const handles = Array.from({ length: PEOPLE }, (_, i) => `${tag}-${i}`);
  const firsts: Device[] = [];
  for (const handle of handles) firsts.push(await signUp(url, handle));
  const seconds: Device[] = [];
  for (const handle of handles) seconds.push(await signIn(url, handle, "second"));
  const places = await openPlaces(url, firsts);
  const devices = [...firsts, ...seconds];
  await Promise.all(devices.map((device) => device.connect()));
  return { url, handles, devices, places };
}

async function openPlaces(url: string, people: Device[]): Promise<Place[]> {
  const places: Place[] = [];
  for (const [i, me] of people.entries()) {
    const peer = people[(i + 1) % people.length] ?? me;
    const { conversation } = await must(url, "openDirect", { params: { userId: peer.userId }, token: me.token });
    places.push({ conversationId: conversation.conversationId, members: [me.userId, peer.userId], isGroup: false });
  }
  for (const members of [people, people.slice(0, 3)]) {
    const [maker, ...others] = members.map((person) => person.userId);
    const body = { title: "load", memberIds: others };
    const { conversation } = await must(url, "createGroup", { body, token: people[0]?.token ?? "" });
    places.push({ conversationId: conversation.conversationId, members: [maker ?? "", ...others], isGroup: true });
  }
  return places;
}

/** The seeded load: every device talks, repeats itself, reads, and now and then loses its socket, until it is told to stop. */
export class Load {
  readonly world: World;
  readonly #seed: number;
  #isRunning = false;
  #rounds = 0;
  #loops: Promise<void>[] = [];

  constructor(world: World, seed: number) {
    this.world = world;
    this.#seed = seed;
  }

  /** Some devices may sit it out. */
  start(devices: readonly Device[] = this.world.devices): void {
    this.#isRunning = true;
    const round = ++this.#rounds;
    this.#loops = devices.map((device, i) => this.#live(device, seeded(this.#seed * 7_919 + round * 101 + i)));
  }

  /** Returns when the last loop has ended; wishes may still wait in the outboxes. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#loops);
  }

  async #live(device: Device, random: Random): Promise<void> {
    while (this.#isRunning) {
      if (device.wire?.isOpen) await this.#act(device, random);
      else await reconnect(device, random);
      await sleep(between(random, 0, 25));
    }
  }

  async #act(device: Device, random: Random): Promise<void> {
    const mine = this.world.places.filter((place) => place.members.includes(device.userId));
    const { conversationId, isGroup } = pick(random, mine);
    const dice = random();
    if (dice < 0.01) device.cut();
    else if (dice < 0.04 && isGroup) await retitle(device, conversationId, random);
    else if (dice < 0.1) device.wire?.tell({ type: "receipt", conversationId, read: device.log(conversationId).held });
    else if (dice < 0.16 && device.outbox.acked.length > 0)
      void device.outbox.repeat(pick(random, device.outbox.acked));
    else if (device.outbox.waiting.length < MAX_WAITING && !device.outbox.isAtDoor)
      this.#say(device, conversationId, random);
  }

  /** Through the HTTP door only when nothing waits: two doors at once would be two orders. */
  #say(device: Device, conversationId: string, random: Random): void {
    const text = `${device.name} ${device.outbox.nextNumber} ${"·".repeat(between(random, 0, 120))}`;
    if (device.outbox.waiting.length === 0 && random() < 0.1) void device.outbox.addByHttp(conversationId, text);
    else device.outbox.add(conversationId, text);
  }
}

/** Changes a group's settings, so that the log holds what the server appends, too. Only the admin is let. */
async function retitle(device: Device, conversationId: string, random: Random): Promise<void> {
  const body = { title: `title ${between(random, 0, 9_999)}` };
  const answer = await call(device.url, "changeConversation", {
    params: { id: conversationId },
    body,
    token: device.token,
  }).catch(() => null);
  if (answer && !answer.ok && !answer.problem.retryable && answer.problem.code !== "forbidden")
    device.fault(`retitle: ${answer.problem.code}`);
}

/** One try; a server that is down is what this load is about. */
async function reconnect(device: Device, random: Random): Promise<void> {
  await device.connect().catch(() => sleep(between(random, 20, 200)));
}

/** Connects whoever is cut and sends until every outbox is empty. Throws after `withinMs`. */
export async function settle(devices: readonly Device[], withinMs = PATIENCE_MS): Promise<void> {
  for (const until = Date.now() + withinMs; Date.now() < until; await sleep(500)) {
    for (const device of devices) if (!device.wire?.isOpen) await device.connect();
    const waiting = devices.filter((device) => device.outbox.waiting.length > 0);
    if (waiting.length === 0) return;
    for (const device of waiting) device.outbox.resend();
  }
  const left = devices.flatMap((device) => device.outbox.waiting.map((wish) => `${device.name}: ${wish.text}`));
  throw new Error(`not acked after ${withinMs} ms: ${left.join("; ")}`);
}
