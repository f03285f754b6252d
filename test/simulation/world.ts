import { ulid } from "ulid";
import { canSee, type Membership } from "../../src/domain/membership.ts";
import type { Range, Span } from "../../src/domain/spans.ts";
import { directId } from "../../src/platform/conversation-ids.ts";
import { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { chooseMine } from "./acts.ts";
import type { AnyDevice } from "./any-device.ts";
import { checkCounted, checkHeard } from "./check-states.ts";
import { ClientDevice } from "./client-device.ts";
import { Clockwork, living } from "./clockwork.ts";
import { Device } from "./device.ts";
import type { Host } from "./host.ts";
import { Internet } from "./internet.ts";
import { LifeTruth } from "./life-truth.ts";
import { PresenceTruth } from "./presence-truth.ts";
import { ReceiptTruth } from "./receipt-truth.ts";
import type { Faults } from "./runtime.ts";
import { Server } from "./server.ts";
import { Settings } from "./settings.ts";
import { Witness } from "./witness.ts";

/** `crowd`: members above which receipts are counts. */
export type Plan = {
  people: number;
  devices: number;
  groups: number;
  acts: number;
  crowd: number;
  /** Whether people edit, recall and react. */
  late?: boolean;
  /** Whether messages also disappear, conversations are cleared, people block, leave, come back and add devices. */
  whole?: boolean;
  /** Whether the deployer has words forgotten that were delivered. */
  forgets?: boolean;
  /** Whether the whole client lives on most devices, and the server's doors are there. */
  clients?: boolean;
  faults: Faults;
};

/** Within this time sockets are noticed to be dead, and those who do not answer are rung. Ms. */
const NOTICED_WITHIN_MS = 240_000;

/** People with devices, talking over a world that breaks. Everything in it follows from the seed. */
export class World {
  readonly works: Clockwork;
  readonly server: Server;
  readonly people: UserId[];
  readonly devices: AnyDevice[];
  /** The way to the doors, where there are whole clients. */
  private readonly internet: Internet | null;
  readonly conversations: ConversationId[] = [];
  readonly witness: Witness;
  readonly truth: PresenceTruth;
  readonly receipts: ReceiptTruth;
  readonly settings: Settings;
  readonly life: LifeTruth;
  /** In some lives the deployer sets a time for messages: all is short then. */
  readonly mayAge: boolean;
  /** The deployer's time for messages; 0: for ever. Ms. */
  keepMs = 0;
  readonly startedAt: number;
  /** People who seldom look: their devices are there to be rung. */
  readonly away = new Set<UserId>();
  private readonly plan: Plan;
  private readonly giveBack: () => void;
  private texts = 0;
  private quietUntil = 0;

  constructor(seed: number, plan: Plan) {
    this.plan = plan;
    this.works = new Clockwork(seed);
    this.startedAt = this.works.now;
    this.giveBack = this.takeOver(plan.crowd);
    this.server = new Server(this.works, plan.faults);
    this.people = Array.from({ length: plan.people }, () => UserId.parse(ulid(this.works.now, this.works.random)));
    this.internet = plan.clients ? new Internet(this.works, this.server, this.people) : null;
    this.devices = this.people.flatMap((userId) =>
      Array.from({ length: 1 + this.works.pick(plan.devices) }, () => this.newDevice(userId)),
    );
    this.settings = new Settings(this.works, (kind, name, method, ...args) => this.call(kind, name, method, ...args));
    this.life = new LifeTruth(this);
    this.mayAge = this.isWhole && this.works.chance(0.4);
    if (plan.forgets) this.server.runtime.env.FORGET_DELIVERED = "1";
    this.witness = new Witness(this.server);
    this.truth = new PresenceTruth(this.server, this.people);
    this.receipts = new ReceiptTruth(this.server, this.devices);
    this.beWitnessed();
    this.server.runtime.lose = (socket) => {
      socket.drop();
      const device = this.devices.find((d) => d.has(socket));
      if (device) this.works.after(this.works.pick(200), () => device.loses(socket));
    };
  }

  /** The globals; answers how to give them back. */
  private takeOver(crowd: number): () => void {
    const giveBack = this.works.install();
    const { warn, error } = console;
    const { receiptMembers } = LIMITS;
    Object.assign(LIMITS, { receiptMembers: crowd });
    console.warn = (line: string) => this.works.note(line);
    const isExpected = (line: string) => living.getStore()?.alive === false || line.includes('"error":"Unavailable: ');
    console.error = (line: string) => this.works.note(isExpected(line) ? line : `BUG ${line}`);
    return () => {
      Object.assign(console, { warn, error });
      Object.assign(LIMITS, { receiptMembers });
      giveBack();
    };
  }

  private beWitnessed(): void {
    const { witness, truth, receipts } = this;
    this.server.runtime.witness = witness;
    this.server.pushes.decided = (job) => witness.decided(job);
    witness.presence = truth;
    this.works.ticked = () => truth.look();
    witness.checkpointed = receipts.checkpointed;
    witness.counted = (id, userId, unread) => checkCounted(this, id, userId, unread);
    witness.life = this.life;
    receipts.wasBlocked = (id) => this.life.wasBlocked(id);
    for (const device of this.devices) this.beHeard(device);
  }

  private beHeard(device: AnyDevice): void {
    device.hears = (frame) => {
      checkHeard(this, device, frame);
      this.life.heard(device, frame);
    };
  }

  private newDevice(userId: UserId): AnyDevice {
    const { works, server, internet, forgets } = this;
    if (internet && works.chance(0.75)) return new ClientDevice(works, server, internet, userId, !forgets);
    return new Device(works, server, userId);
  }

  addDevice(userId: UserId): AnyDevice {
    const device = this.newDevice(userId);
    this.devices.push(device);
    this.beHeard(device);
    return device;
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
    for (const userId of this.people) if (this.works.chance(0.4)) this.away.add(userId);
    for (const device of this.devices) if (!this.away.has(device.userId) && this.works.chance(0.8)) device.goOnline();
    while (!this.conversations.every((id) => this.exists(this.server.conversation(id)))) await this.works.step();
    for (const device of this.devices) this.prepare(device);
  }

  /** Some have pushes, some mute, some watch. */
  private prepare(device: AnyDevice): void {
    if (this.works.chance(0.6)) this.settings.subscribe(device);
    for (const id of this.conversations) if (this.works.chance(0.15)) chooseMine(this, device, id);
    if (this.works.chance(0.6)) device.watch(this.people.filter((userId) => userId !== device.userId));
  }

  private exists = (host: Host): boolean =>
    host.disk.run("SELECT 1 FROM sqlite_master WHERE name = 'facts'", []).length > 0;

  call(kind: "INBOXES" | "CONVERSATIONS", name: string, method: string, ...args: unknown[]): Promise<unknown> {
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

  get speaksLate(): boolean {
    return this.plan.late ?? false;
  }

  get isWhole(): boolean {
    return this.plan.whole ?? false;
  }

  get hasClients(): boolean {
    return this.plan.clients ?? false;
  }

  get forgets(): boolean {
    return this.plan.forgets ?? false;
  }

  newText(): string {
    this.texts += 1;
    return `text-${this.texts};`;
  }

  /** Nobody does anything for a while. */
  leaveAlone(ms: number): void {
    this.quietUntil = this.works.now + ms;
    this.works.after(ms, () => {});
  }

  get isLeftAlone(): boolean {
    return this.works.now < this.quietUntil;
  }

  rosterOf(id: ConversationId): Map<UserId, Membership> {
    const { disk } = this.server.conversation(id);
    const has = (table: string) => disk.run("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).length > 0;
    const hidden = has("hidden") ? disk.run("SELECT user_id, spans FROM hidden", []) : [];
    const cleared = has("cleared") ? disk.run("SELECT user_id, seq FROM cleared", []) : [];
    const gaps = new Map(hidden.map((r) => [r.user_id, { hidden: JSON.parse(String(r.spans)) as Span[] }]));
    const deleted = has("deleted") ? disk.run("SELECT user_id, spans FROM deleted", []) : [];
    const taken = new Map(deleted.map((r) => [r.user_id, { deleted: JSON.parse(String(r.spans)) as Range[] }]));
    const ends = new Map(cleared.map((r) => [r.user_id, { clearedThrough: Number(r.seq) }]));
    return new Map(
      disk.run("SELECT * FROM members", []).map(({ user_id: id, spans }): [UserId, Membership] => {
        const userId = id as UserId;
        const sights = { ...gaps.get(id), ...ends.get(id), ...taken.get(id) };
        return [userId, { userId, role: "member", spans: JSON.parse(String(spans)), ...sights }];
      }),
    );
  }

  /** With so many members its receipts may wait for calls; also later, when some have left. */
  isCrowd(id: ConversationId): boolean {
    return this.rosterOf(id).size > LIMITS.receiptMembers;
  }

  /** What a user may see of a log. */
  visible(id: ConversationId, userId: UserId) {
    const member = this.rosterOf(id).get(userId);
    return this.server.logOf(id).filter(({ seq }) => member && canSee(member, seq));
  }

  /** Faults end, and whoever is away stays so, until the server has told and noticed all there is. False when it never has. */
  async calmDown(maxMs: number): Promise<boolean> {
    this.server.heal();
    const until = this.works.now + maxMs;
    await this.pass(NOTICED_WITHIN_MS);
    while (this.works.now < until) {
      if (this.conversations.every((id) => this.isSettled(id))) return true;
      await this.pass(1_000);
    }
    return false;
  }

  /** Lets time go by. */
  async pass(ms: number): Promise<void> {
    const until = this.works.now + ms;
    this.works.after(ms, () => {});
    while (this.works.now < until) await this.step();
  }

  /** What this answers, however many steps it takes. */
  async through<T>(work: () => Promise<T>): Promise<T> {
    let open = true;
    const answer = work().finally(() => {
      open = false;
    });
    while (open) await this.step();
    return answer;
  }

  /** The next step, compared with what may be. */
  async step(): Promise<boolean> {
    const went = await this.works.step();
    this.receipts.look(this.conversations);
    const told = [this.witness, this.truth, this.receipts, this.life, ...this.devices];
    const bug = told.find(({ bugs }) => bugs.length > 0)?.bugs[0];
    if (bug) throw new Error(bug);
    return went;
  }

  /** Faults end, everybody comes online, and time goes on until nothing is open any more. False when it never comes to rest. */
  async comeToRest(maxSteps: number): Promise<boolean> {
    this.server.heal();
    for (const device of this.devices) device.goOnline();
    for (let i = 0; i < maxSteps; i++) {
      if (i % 50 === 0 && this.isAtRest()) return true;
      if (!(await this.step())) return this.isAtRest();
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

  isSettled(id: ConversationId): boolean {
    const [row] = this.server.conversation(id).disk.run("SELECT body FROM checkpoint", []);
    const head = this.server.logOf(id).length;
    const {
      delivered = 0,
      shipped = 0,
      forgotten = 0,
      forgottenInHistory = 0,
    } = row ? JSON.parse(String(row.body)) : {};
    const stale = this.server.conversation(id).disk.run("SELECT 1 FROM stale LIMIT 1", []).length > 0;
    return delivered === head && shipped === head && forgotten === forgottenInHistory && !stale;
  }

  isEqual(device: AnyDevice, id: ConversationId): boolean {
    return device.events(id).length === this.visible(id, device.userId).length;
  }
}
