import { isDeepStrictEqual } from "node:util";
import type { ConversationId } from "../../../src/protocol/ids.ts";
import { heldOf } from "../../../src/sdk/state.ts";
import { conversationId, deviceId, userId } from "./ids.ts";
import { ModelDevice } from "./model-device.ts";
import { ModelServer } from "./model-server.ts";

/** One thing that a hostile world does. Numbers are taken modulo what there is. */
export type Act =
  | { act: "wish"; device: number; conversation: number }
  | { act: "open" | "crash" | "handOut" | "loseIndex"; device: number }
  | { act: "cut"; device: number; heard: number }
  | { act: "crashSoon"; device: number; when: "before_store" | "after_store" }
  | { act: "up"; device: number; count: number }
  | { act: "down"; device: number; count: number; repeat: boolean }
  | { act: "jobs"; picks: number[] }
  | { act: "pass"; ms: number }
  | { act: "fault"; fault: "before" | "after" }
  | { act: "refuseUnread" | "restart" }
  | { act: "member"; conversation: number; device: number }
  | { act: "read"; device: number; conversation: number }
  | { act: "skew"; device: number; ms: number }
  | { act: "older"; device: number; conversation: number; count: number }
  | { act: "prune"; device: number };

const ACTS: { [A in Act["act"]]: (world: World, act: Extract<Act, { act: A }>) => void } = {
  wish: (world, { device, conversation }) =>
    world.device(device).wish(world.conversation(conversation), world.newText()),
  open: (world, { device }) => world.device(device).open(),
  crash: (world, { device }) => world.device(device).crash(),
  crashSoon: (world, { device, when }) => {
    world.device(device).crashNext = when;
  },
  handOut: (world, { device }) => world.server.handOutTo(world.device(device).who.deviceId),
  loseIndex: (world, { device }) => world.server.loseIndex(world.device(device).who.userId),
  cut: (world, { device, heard }) => world.device(device).cut(heard),
  up: (world, { device, count }) => world.device(device).moveUp(count),
  down: (world, { device, count, repeat }) => world.device(device).moveDown(count, repeat),
  jobs: ({ server }, { picks }) => {
    for (const pick of picks) if (server.work > 0) server.runJob(pick);
  },
  pass: (world, { ms }) => {
    world.now += ms;
  },
  fault: ({ server }, { fault }) => void server.faults.push(fault),
  refuseUnread: ({ server }) => {
    server.refuseUnread += 1;
  },
  restart: ({ server }) => server.restart(),
  member: (world, { conversation, device }) =>
    world.server.changeMember(world.conversation(conversation), userId("A"), world.device(device).who.userId),
  read: (world, act) => {
    const device = world.device(act.device);
    const conversationId = world.conversation(act.conversation);
    device.tell({ type: "read", conversationId, seq: heldOf(device.replica.state, conversationId).covered });
  },
  older: (world, act) => {
    const device = world.device(act.device);
    const id = world.conversation(act.conversation);
    const { from: before } = heldOf(device.replica.state, id);
    const below = world.server.conversations.get(id)?.visibleTo(device.who.userId, 1, before - 1) ?? [];
    const events = below.slice(-act.count);
    const from = events.length < below.length ? (events[0]?.seq ?? before) : 1;
    if (before > 1) device.tell({ type: "older", conversationId: id, before, from, events });
  },
  prune: (world, { device }) => world.device(device).tell({ type: "pruned" }),
  skew: (world, { device, ms }) => {
    world.device(device).skew = ms;
  },
};

/** Two people with two devices each and one with one, in three conversations; the last one is told to be a crowd. */
export class World {
  now = 1_700_000_000_000;
  readonly server = new ModelServer();
  readonly devices: ModelDevice[];
  readonly conversations: readonly ConversationId[] = [1, 2, 3].map(conversationId);
  #texts = 0;

  /** `keep`: events of each conversation that a device keeps. */
  constructor(keep = Number.POSITIVE_INFINITY) {
    const [anna, ben, cleo] = [userId("A"), userId("B"), userId("C")] as const;
    const owners = [anna, anna, ben, ben, cleo];
    this.devices = owners.map(
      (owner, i) =>
        new ModelDevice(
          { userId: owner, deviceId: deviceId(i + 1) },
          this.server,
          () => this.now,
          (d) => this.checkStored(d),
          keep,
        ),
    );
    const others = [[ben], [ben, cleo], [cleo]];
    for (const [i, id] of this.conversations.entries()) this.server.make(id, anna, others[i] ?? [], i === 2 ? 300 : 3);
  }

  device(n: number): ModelDevice {
    return this.devices[n % this.devices.length] as ModelDevice;
  }
  conversation(n: number): ConversationId {
    return this.conversations[n % this.conversations.length] as ConversationId;
  }

  do(act: Act): void {
    this.server.now = this.now;
    (ACTS[act.act] as (world: World, act: Act) => void)(this, act);
    for (const device of this.devices) device.notice();
    for (const device of this.devices) device.wake();
  }

  newText(): string {
    this.#texts += 1;
    return `text ${this.#texts}`;
  }

  /** Nothing goes wrong any more: runs everything until nothing is left to do. Throws when that never comes. */
  settle(): void {
    this.server.faults.length = 0;
    this.server.refuseUnread = 0;
    for (let round = 0; round < 3_000; round++) {
      for (const device of this.devices) if (!device.isOpen) device.open();
      for (const device of this.devices) this.#drain(device);
      while (this.server.work > 0) this.server.runJob(0);
      const idle = this.devices.every((d) => d.isOpen && d.up.length + d.down.length === 0 && !d.isDue);
      if (idle && this.server.work === 0) return;
      this.do({ act: "pass", ms: 500 });
    }
    throw new Error("the world never came to rest");
  }

  #drain(device: ModelDevice): void {
    device.crashNext = null;
    device.moveUp(Number.POSITIVE_INFINITY);
    device.moveDown(1_000, false);
  }

  /** What must hold of every disk at every moment. */
  checkStored({ who, disk, replica }: ModelDevice): void {
    if (!isDeepStrictEqual(disk, replica.state)) throw new Error("[CL-1] the disk is not the state");
    const index = this.server.indexOf(who.userId);
    const [epoch, cursor] = (disk.cursor ?? ".").split(".");
    for (const [id, conversation] of this.server.conversations) {
      const held = heldOf(disk, id);
      const visible = conversation.visibleTo(who.userId).filter(({ seq }) => seq >= held.from && seq <= held.covered);
      if (!isDeepStrictEqual(held.events, visible))
        throw new Error(`[CL-4] ${who.deviceId} has a hole or repeat in ${id}`);
      const listed = (index.rows.get(id) ?? 0) > Number(cursor) || this.server.pendingDeliveries(id, who.userId);
      const whole = conversation.headFor(who.userId) <= held.covered;
      if (epoch === index.epoch && !whole && !listed)
        throw new Error(`[CL-8] the cursor of ${who.deviceId} passed what it lacks of ${id}`);
    }
  }
}
