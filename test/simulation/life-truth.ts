import { expiryOf } from "../../src/domain/life.ts";
import { isCurrent, isHidden } from "../../src/domain/membership.ts";
import { Event } from "../../src/protocol/events.ts";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import { timelineOf } from "../../src/sdk/fold.ts";
import type { AnyDevice as Device } from "./any-device.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** An alarm is at most a minute late, and two clocks of the server are this far apart. Ms. */
const LATE_MS = 65_000;
type Words = { seq: number; target: number; text: string; receivedAt: number; expiresAt: number };
type Span = [from: number, to: number | null];
const short = (id: string): string => id.slice(-4);

/** What was said, hidden, cleared and forgotten, noted when it happened and not asked of those who are to be judged by it. */
export class LifeTruth {
  readonly bugs: string[] = [];
  private readonly world: World;
  private readonly words = new Map<ConversationId, Words[]>();
  private readonly hidden = new Map<string, Span[]>();
  private readonly cleared = new Map<string, number>();
  /** The head when a clear began to be carried out, by its call. */
  private readonly clearing = new WeakMap<unknown[], number>();
  private readonly deleted = new Map<string, Set<number>>();
  /** Who had it when the server forgot it, and is to keep it. */
  private readonly keepers: { device: Device; id: ConversationId; seq: number; text: string }[] = [];

  constructor(world: World) {
    this.world = world;
  }

  private wordsOf(id: ConversationId): Words[] {
    const known = this.words.get(id) ?? [];
    this.words.set(id, known);
    return known;
  }

  /** An event as it goes into the log. */
  appended(id: ConversationId, event: Event): void {
    if ((event.kind !== "message" && event.kind !== "edit") || event.content.type !== "text") return;
    const { seq, receivedAt, content } = event;
    const target = event.kind === "edit" ? event.targetSeq : seq;
    const expiresAt = event.kind === "message" ? (event.expiresAt ?? Number.POSITIVE_INFINITY) : 0;
    this.wordsOf(id).push({ seq, target, text: content.text, receivedAt, expiresAt });
  }

  /** A call as it begins to be carried out: the head is what it was when the conversation heard of it. */
  entered(host: Host, method: string, args: unknown[]): void {
    if (!host.name.startsWith("conversation/")) return;
    const id = host.name.slice("conversation/".length) as ConversationId;
    if (method === "clear") this.clearing.set(args, this.world.server.logOf(id).length);
    if (method === "deleteFor") this.deletedBy(`${args[0]} ${id}`).add(args[2] as number);
    if (method === "setBlock") this.blocked(id, args[0] as UserId, args[1] as boolean);
  }

  /** [LM-29] One that comes late is turned away. */
  answered(host: Host, method: string, args: unknown[], isDone: boolean): void {
    const through = this.clearing.get(args);
    if (through === undefined || method !== "clear" || !isDone) return;
    this.cleared.set(`${args[0]} ${host.name.slice("conversation/".length)}`, through);
  }

  private deletedBy(key: string): Set<number> {
    const known = this.deleted.get(key) ?? new Set();
    this.deleted.set(key, known);
    return known;
  }

  private blocked(id: ConversationId, userId: UserId, blocks: boolean): void {
    const key = `${userId} ${id}`;
    const spans = this.hidden.get(key) ?? [];
    const last = spans.at(-1);
    const head = this.world.server.logOf(id).length;
    if (blocks === (last?.[1] === null)) return;
    this.hidden.set(key, blocks ? [...spans, [head + 1, null]] : [...spans.slice(0, -1), [last?.[0] ?? 1, head]]);
  }

  /** [LM-21] At the very moment when the log forgets words: every device of every member has them. */
  forgot(id: ConversationId, seq: number): void {
    const { world } = this;
    const said = this.wordsOf(id).find((one) => one.seq === seq);
    if (!said) return void this.bugs.push(`[LM-22] ${id.slice(0, 5)} forgets ${seq}, which has no words`);
    for (const member of world.rosterOf(id).values()) {
      if (!isCurrent(member) || isHidden(member, seq)) continue;
      for (const device of world.devices) {
        if (device.userId !== member.userId || device.arrivedAt === 0) continue;
        if (device.covered(id) === 0 && said.receivedAt < device.arrivedAt) continue; // new, and has not looked here yet
        if (!world.visible(id, device.userId).some((event) => event.seq === seq)) continue;
        const held = device.events(id).find((event) => event.seq === seq);
        const isHeld = held && JSON.stringify(held).includes(said.text);
        if (isHeld) this.keepers.push({ device, id, seq, text: said.text });
        else if (!this.isOver(id, said, -LATE_MS))
          // by its own clock it may be over already
          this.bugs.push(`[LM-21] ${id.slice(0, 5)} forgets ${seq}, and ${short(device.deviceId)} does not have it`);
      }
    }
  }

  /** Recalled, or its time is over. */
  private isOver(id: ConversationId, { target }: Words, lateMs = 0): boolean {
    const { world } = this;
    const isRecalled = ({ kind, body }: { kind: string; body: string }) =>
      kind === "recall" && JSON.parse(body).targetSeq === target;
    const message = this.wordsOf(id).find(({ seq }) => seq === target);
    if (!message || world.server.logOf(id).some(isRecalled)) return message !== undefined;
    const aged = expiryOf(message.receivedAt, { chosenMs: 0, deployerMs: world.keepMs }) ?? Number.POSITIVE_INFINITY;
    return Math.min(message.expiresAt, aged) + lateMs <= world.server.now;
  }

  /** The same, give or take what clocks are apart: whoever holds it may or may not have noticed. Not what was recalled. */
  isAboutOver(id: ConversationId, event: Event): boolean {
    const target = event.kind === "edit" ? event.targetSeq : event.seq;
    const message = this.wordsOf(id).find(({ seq }) => seq === target);
    if (!message) return event.kind === "edit";
    const keepMs = this.world.keepMs > 0 ? this.world.keepMs : Number.POSITIVE_INFINITY;
    return Math.min(message.expiresAt, message.receivedAt + keepMs) <= this.world.server.now + LATE_MS;
  }

  /** [LM-19] Recalled where this person could not hear of it, and they have not been told yet: they are out, block, or nothing came since. */
  isUnheard(id: ConversationId, userId: UserId, event: Event): boolean {
    const target = event.kind === "edit" ? event.targetSeq : event.seq;
    const isRecall = ({ kind, body }: { kind: string; body: string }) =>
      kind === "recall" && JSON.parse(body).targetSeq === target;
    const recall = this.world.server.logOf(id).find(isRecall);
    return recall !== undefined && !this.world.visible(id, userId).some(({ seq }) => seq >= recall.seq);
  }

  logged(id: ConversationId, seq: number): string {
    return this.world.server.logOf(id)[seq - 1]?.body ?? "";
  }

  /** When the last of what will expire is over. Epoch ms. */
  get allOverAt(): number {
    const all = [...this.words.values()].flat();
    const ends = all.map(({ receivedAt, expiresAt }) =>
      Math.min(expiresAt, this.world.keepMs > 0 ? receivedAt + this.world.keepMs : Number.POSITIVE_INFINITY),
    );
    return Math.max(0, ...ends.filter(Number.isFinite)) + LATE_MS;
  }

  /** [BL-1] [LM-16] What a device is told, at the moment in which it hears it. */
  heard(device: Device, frame: ServerFrame): void {
    if (frame.type !== "events" && frame.type !== "page") return;
    for (const { seq } of frame.events) this.judge(device, frame.conversationId, seq, "is told");
  }

  private judge(device: Device, id: ConversationId, seq: number, what: string): void {
    const key = `${device.userId} ${id}`;
    const isHidden = this.hidden.get(key)?.some(([from, to]) => from <= seq && (to === null || seq <= to));
    if (isHidden)
      this.bugs.push(`[BL-1] ${short(device.deviceId)} ${what} ${seq} of ${id.slice(0, 5)}, which is hidden`);
  }

  /** Whether somebody has ever blocked the other one here: watermarks stand still then. */
  wasBlocked(id: ConversationId): boolean {
    return [...this.hidden.keys()].some((key) => key.endsWith(id));
  }

  wasBlockedBetween(a: UserId, b: UserId): boolean {
    const isPair = (id: ConversationId) => [a, b].every((one) => this.world.rosterOf(id).has(one));
    return this.world.conversations.some((id) => id.startsWith("d") && isPair(id) && this.wasBlocked(id));
  }

  /** Once all is settled, with every device as it was left: nothing of what is over is in any store. */
  checkOver(): void {
    for (const [id, all] of this.words) {
      const over = all.filter((words) => this.isOver(id, words, LATE_MS));
      if (over.length === 0) continue;
      for (const [place, text] of this.places(id)) {
        const left = over.find((words) => text.includes(words.text));
        if (left)
          throw new Error(`[LM-15] [LM-17] the words of ${left.seq} of ${id.slice(0, 5)} are in ${place} still`);
      }
    }
  }

  private places(id: ConversationId): [place: string, text: string][] {
    const { server, devices } = this.world;
    const log = server.conversation(id).disk.run("SELECT body FROM log", []);
    const places: [string, string][] = [["the log", JSON.stringify(log)]];
    for (const [name, shard] of Object.entries(server.shards))
      places.push([
        name,
        JSON.stringify(shard.disk.run("SELECT body, folded FROM events WHERE conversation_id = ?", [id])),
      ]);
    for (const host of server.runtime.hosts.values())
      if (host.name.startsWith("inbox/"))
        places.push([host.name, JSON.stringify(host.disk.run("SELECT * FROM self", []))]);
    for (const device of devices)
      if (device.knowsTime)
        places.push([`device ${short(device.deviceId)}`, JSON.stringify(this.expiring(id, device))]);
    return places;
  }

  /** Of a device that was not there to hear of it only what it can know by itself: recalls, and the deployer's time, need a server. */
  private expiring(id: ConversationId, device: Device): Event[] {
    const isThere = device.online && device.phase === "live";
    return device.events(id).filter((event) => {
      const isHeard = isThere && !this.isUnheard(id, device.userId, event);
      const target = event.kind === "edit" ? event.targetSeq : event.seq;
      const message = this.wordsOf(id).find(({ seq }) => seq === target);
      return isHeard || (message !== undefined && message.expiresAt + LATE_MS <= this.world.server.now);
    });
  }

  /** At rest, with everybody there. */
  checkRest(): void {
    this.checkOver();
    for (const device of this.world.devices) for (const id of this.world.conversations) this.checkDevice(device, id);
    for (const { device, id, seq, text } of this.keepers) this.checkKept(device, id, seq, text);
    const [bug] = this.bugs;
    if (bug) throw new Error(bug);
  }

  private checkDevice(device: Device, id: ConversationId): void {
    const cleared = this.cleared.get(`${device.userId} ${id}`) ?? 0;
    const member = this.world.rosterOf(id).get(device.userId);
    const deleted = this.deletedBy(`${device.userId} ${id}`);
    for (const event of device.events(id)) {
      const { seq } = event;
      this.judge(device, id, seq, "holds");
      if (deleted.has(event.kind === "edit" ? event.targetSeq : seq))
        throw new Error(
          `[LM-26] [LM-27] ${short(device.deviceId)} holds ${seq} of ${id.slice(0, 5)}, which was deleted`,
        );
      if (seq <= cleared && member && isCurrent(member))
        throw new Error(
          `[LM-16] ${short(device.deviceId)} holds ${seq} of ${id.slice(0, 5)}, cleared through ${cleared}`,
        );
    }
    this.checkTicks(device, id);
    this.checkTimeline(device, id);
  }

  /** [RC-11] What was hidden from the other one shows as sent, and no more, for ever. */
  private checkTicks(device: Device, id: ConversationId): void {
    const { except, delivered } = device.held(id).ticks;
    for (const [key, spans] of this.hidden) {
      if (!key.endsWith(id) || key.startsWith(device.userId)) continue;
      for (const [from, to] of spans)
        for (const { seq } of device.events(id))
          if (
            to !== null &&
            from <= seq &&
            seq <= to &&
            seq <= delivered &&
            !except.some((e) => e.from <= seq && seq <= e.to)
          )
            throw new Error(`[RC-11] ${short(device.deviceId)} shows ${seq} as delivered, which was hidden`);
    }
  }

  /** [LM-11] Whoever holds the same span sees the same; what the server has forgotten stands in for words. */
  private checkTimeline(device: Device, id: ConversationId): void {
    if (this.world.forgets) return; // who came later sees less, and says so
    const now = this.world.server.now + LATE_MS;
    const seen = (events: readonly Event[]) =>
      timelineOf(events, { me: device.userId, wishes: [], now }).map((line) =>
        line.is === "note"
          ? { seq: line.event.seq }
          : {
              seq: line.event.seq,
              ...(line.content.type === "gone"
                ? { gone: true }
                : { content: line.content, edited: line.edited, reactions: line.reactions }),
            },
      );
    const log = this.world.visible(id, device.userId).map(({ body }) => Event.parse(JSON.parse(body)));
    const isAged = ({ kind, receivedAt }: Event) =>
      kind === "message" && this.world.keepMs > 0 && receivedAt + this.world.keepMs <= now;
    const isUnsure = (event: Event) => isAged(event) || this.isUnheard(id, device.userId, event);
    const aged = new Set([...log, ...device.events(id)].filter(isUnsure).map(({ seq }) => seq));
    const fresh = (events: readonly Event[]) => seen(events).filter(({ seq }) => !aged.has(seq));
    const [ours, theirs] = [JSON.stringify(fresh(device.events(id))), JSON.stringify(fresh(log))];
    if (ours !== theirs)
      throw new Error(`[LM-11] ${short(device.deviceId)} shows ${ours} in ${id.slice(0, 5)}, and the log ${theirs}`);
  }

  /** [LM-22] Forgetting takes nothing from those who have it. */
  private checkKept(device: Device, id: ConversationId, seq: number, text: string): void {
    const said = this.wordsOf(id).find((one) => one.seq === seq) as Words;
    const event = device.events(id).find((one) => one.seq === seq);
    const key = `${device.userId} ${id}`;
    const isTaken = seq <= (this.cleared.get(key) ?? 0) || this.deletedBy(key).has(said.target);
    if (this.isOver(id, said) || isTaken || JSON.stringify(event ?? "").includes(text)) return;
    throw new Error(
      `[LM-22] ${short(device.deviceId)} has lost ${seq} of ${id.slice(0, 5)}, which the server has forgotten`,
    );
  }

  get forgottenCount(): number {
    return this.keepers.length;
  }
}
