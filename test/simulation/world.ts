import { ulid } from "ulid";
import type { Membership } from "../../src/domain/membership.ts";
import { canSee } from "../../src/domain/membership.ts";
import type { Outcome } from "../../src/objects/rpc.ts";
import { directId } from "../../src/platform/conversation-ids.ts";
import { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { Clockwork } from "./clockwork.ts";
import { Device } from "./device.ts";
import type { Faults, Host } from "./runtime.ts";
import { Server } from "./server.ts";

export type Plan = { people: number; devices: number; groups: number; acts: number; faults: Faults };

/** People with devices, talking over a world that breaks. Everything in it follows from the seed. */
export class World {
  readonly works: Clockwork;
  readonly server: Server;
  readonly people: UserId[];
  readonly devices: Device[];
  readonly conversations: ConversationId[] = [];
  private readonly plan: Plan;
  private readonly giveBack: () => void;
  private said = 0;

  constructor(seed: number, plan: Plan) {
    this.plan = plan;
    this.works = new Clockwork(seed);
    const giveBack = this.works.install();
    const { warn } = console;
    console.warn = (line: string) => this.works.note(line);
    this.giveBack = () => {
      console.warn = warn;
      giveBack();
    };
    this.server = new Server(this.works, plan.faults);
    this.people = Array.from({ length: plan.people }, () => UserId.parse(ulid(this.works.now, this.works.random)));
    this.devices = this.people.flatMap((userId) =>
      Array.from({ length: 1 + this.works.pick(plan.devices) }, () => new Device(this.works, this.server, userId)),
    );
    this.server.runtime.lose = (socket) => {
      socket.drop();
      const device = this.devices.find((d) => d.line?.far === socket);
      if (device)
        this.works.after(this.works.pick(200), () => device.line?.far === socket && device.cut("server is gone"));
    };
  }

  close(): void {
    this.server.uninstall();
    this.giveBack();
  }

  /** Opens every direct conversation and the groups, by calls that may fail and are repeated. */
  async open(): Promise<void> {
    for (const [i, a] of this.people.entries()) {
      for (const b of this.people.slice(i + 1)) {
        const id = await directId(a, b);
        this.conversations.push(id);
        this.ask(id, "open", id, { kind: "direct", memberIds: [a, b] });
        for (const userId of [a, b]) this.until(() => this.call("INBOXES", userId, "track", id));
      }
    }
    for (let i = 0; i < this.plan.groups; i++) {
      const id = ConversationId.parse(`g${ulid(this.works.now, this.works.random)}`);
      const [makerId, ...memberIds] = this.people;
      this.conversations.push(id);
      this.ask(id, "open", id, { kind: "group", makerId, memberIds, title: "Group", fingerprint: "f" });
    }
    for (const device of this.devices) if (this.works.chance(0.8)) device.goOnline();
    while (!this.conversations.every((id) => this.exists(this.server.conversation(id)))) await this.works.step();
  }

  private exists = (host: Host): boolean =>
    host.disk.run("SELECT 1 FROM sqlite_master WHERE name = 'facts'", []).length > 0;

  private call(kind: "INBOXES" | "CONVERSATIONS", name: string, method: string, ...args: unknown[]): Promise<unknown> {
    const namespace = this.server.runtime.env[kind] as {
      getByName(n: string): Record<string, (...a: unknown[]) => Promise<unknown>>;
    };
    return (namespace.getByName(name)[method] as (...a: unknown[]) => Promise<unknown>)(...args);
  }

  private ask(id: ConversationId, method: string, ...args: unknown[]): void {
    this.until(() => this.call("CONVERSATIONS", id, method, ...args));
  }

  private until(call: () => Promise<unknown>): void {
    call().catch(() => this.works.after(500, () => this.until(call)));
  }

  /** One thing that people, networks or machines do. */
  act(): void {
    const { works } = this;
    const device = this.devices[works.pick(this.devices.length)] as Device;
    const id = this.conversations[works.pick(this.conversations.length)] as ConversationId;
    const hosts = [...this.server.runtime.hosts.values()];
    const host = hosts[works.pick(hosts.length)] as Host;
    const dice = works.pick(100);
    if (dice < 55) this.say(device, id);
    else if (dice < 62) device.read(id);
    else if (dice < 69) device.goOnline();
    else if (dice < 73) device.goOffline();
    else if (dice < 79) device.cut("the network");
    else if (dice < 81) device.crash();
    else if (dice < 88) host.evict();
    else if (dice < 94) host.crash();
    else this.changeMembers(id);
  }

  /** Often several in a row, so that calls overtake each other. */
  private say(device: Device, id: ConversationId): void {
    if (!this.rosterOf(id).has(device.userId)) return;
    for (let n = 1 + this.works.pick(3); n > 0; n--) device.say(id, `${++this.said}`);
  }

  private changeMembers(id: ConversationId): void {
    if (!id.startsWith("g")) return;
    const [actorId, ...others] = this.people as [UserId, ...UserId[]];
    const userId = others[this.works.pick(others.length)];
    const method = this.works.chance(0.5) ? "putMember" : "removeMember";
    this.call("CONVERSATIONS", id, method, { actorId, userId, role: "member" })
      .then((outcome) => this.works.note(`${method} ${(outcome as Outcome<unknown>).ok}`))
      .catch(() => {});
  }

  rosterOf(id: ConversationId): Map<UserId, Membership> {
    const rows = this.server.conversation(id).disk.run("SELECT * FROM members", []);
    return new Map(
      rows.map((r) => [
        r.user_id as UserId,
        { userId: r.user_id as UserId, role: "member", spans: JSON.parse(String(r.spans)) },
      ]),
    );
  }

  /** What a user may see of a log. */
  visible(id: ConversationId, userId: UserId) {
    const member = this.rosterOf(id).get(userId);
    return this.server.logOf(id).filter(({ seq }) => member && canSee(member, seq));
  }

  /** Faults end, everybody comes online, and time goes on until nothing is open any more. False when it never comes to rest. */
  async comeToRest(maxSteps: number): Promise<boolean> {
    this.server.heal();
    for (const device of this.devices) device.goOnline();
    for (let i = 0; i < maxSteps; i++) {
      if (i % 50 === 0 && this.isAtRest()) return true;
      if (!(await this.works.step())) return this.isAtRest();
      for (const device of this.devices) device.goOnline();
    }
    return false;
  }

  private isAtRest(): boolean {
    const live = this.devices.every((d) => d.online && d.phase === "live" && d.outboxSize === 0);
    return (
      live &&
      this.conversations.every((id) => this.isSettled(id)) &&
      this.devices.every((d) => this.conversations.every((id) => this.isEqual(d, id)))
    );
  }

  private isSettled(id: ConversationId): boolean {
    const [row] = this.server.conversation(id).disk.run("SELECT body FROM checkpoint", []);
    const head = this.server.logOf(id).length;
    const { delivered = 0, shipped = 0 } = row ? JSON.parse(String(row.body)) : {};
    return delivered === head && shipped === head;
  }

  private isEqual(device: Device, id: ConversationId): boolean {
    return device.events(id).length === this.visible(id, device.userId).length;
  }
}
