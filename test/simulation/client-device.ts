import { ulid } from "ulid";
import type { Event, Wish } from "../../src/protocol/events.ts";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import { type ConversationId, DeviceId, type IdempotencyKey, type UserId } from "../../src/protocol/ids.ts";
import type { Client } from "../../src/sdk/client/api.ts";
import { EdgewiseError } from "../../src/sdk/client/errors.ts";
import type { ClientState } from "../../src/sdk/client/state.ts";
import type { Write } from "../../src/sdk/client/storage.ts";
import { Encoder } from "../../src/sdk/client/stored.ts";
import type { Entry, Held } from "../../src/sdk/state.ts";
import { heldOf } from "../../src/sdk/state.ts";
import type { AnyDevice, Wished } from "./any-device.ts";
import { Browser } from "./browser.ts";
import type { Clockwork } from "./clockwork.ts";
import { DeviceDisk } from "./device-disk.ts";
import type { Internet } from "./internet.ts";
import { NO_FAULTS } from "./runtime.ts";
import type { Server } from "./server.ts";
import type { ServerSocket } from "./sockets.ts";
import { Tab, type TabPorts } from "./tab.ts";

/** Devices of different worlds are different ones to a worker that outlives them: it remembers which it has seen. */
const WORLDS = { devices: 0 };
const TABS_MAX = 3;
/** A token looks good for as long as this at least. Ms. */
const TOKEN_MS = 90_000;
/** Frames on which the state of a wish or a log turns. */
const DECISIVE: ReadonlySet<ServerFrame["type"]> = new Set<ServerFrame["type"]>(["ack", "events", "error"]);
type OpenTab = Tab & { client: Client };
/** With the same tabs all that time, whoever leads has stored what was wished for in any of them. Ms. */
const STORED_WITHIN_MS = 60_000;
type Wishing = Wished & { madeAt: number; ended?: "sent" | "failed"; isStored?: true; leftAt?: number };

/** A person's device on which the whole client lives, as an app has it, in one tab or several. What it holds is what lies on its disk. */
export class ClientDevice implements AnyDevice {
  readonly deviceId: DeviceId;
  readonly userId: UserId;
  readonly wishes: Wishing[] = [];
  readonly bugs: string[] = [];
  readonly everHeld = new Map<ConversationId, number>();
  readonly everShown = new Map<ConversationId, number>();
  watched: readonly UserId[] = [];
  welcomedAt = 0;
  arrivedAt = 0;
  knowsTime = false;
  hears: (frame: ServerFrame) => void = () => {};
  readonly disk: DeviceDisk;
  tabs: Tab[] = [];
  readonly #works: Clockwork;
  readonly #server: Server;
  readonly #internet: Internet;
  readonly #browser: Browser | null;
  readonly #byKey = new Map<string, Wishing>();
  readonly #mayFill: boolean;
  #skewMs: number;
  #hasNetwork = false;
  #wantsOnline = false;
  #isSignedIn = false;
  #isResting = false;
  #background = false;
  #places = 0;
  /** When a tab came or went last. */
  #changedAt = 0;
  /** What is done as soon as there is a tab. */
  #later: ((tab: OpenTab) => void)[] = [];
  #decoded: { version: number; state: ClientState } | null = null;

  /** `mayFill`: its disk may be full. */
  constructor(works: Clockwork, server: Server, internet: Internet, userId: UserId, mayFill: boolean) {
    this.#works = works;
    this.#server = server;
    this.#internet = internet;
    this.userId = userId;
    this.#mayFill = mayFill;
    this.deviceId = DeviceId.parse(ulid(works.now + ++WORLDS.devices, works.random));
    this.disk = new DeviceDisk(works);
    this.disk.landed = (batch) => this.#landed(batch);
    this.#browser = works.chance(0.75) ? new Browser(works) : null;
    this.#skewMs = works.pick(7_200_000) - 3_600_000;
    void this.#signIn();
  }

  /** As if its person had signed in before the world began. */
  async #signIn(): Promise<void> {
    const { userId, deviceId } = this;
    const ageMs = this.#works.pick(50 * 60_000);
    const { handle, accessToken, refreshToken, accessExpiresAt } = await this.#internet.signIn(userId, deviceId, ageMs);
    const lifeMs = Math.max(accessExpiresAt - this.#works.now, TOKEN_MS);
    const tokens = { accessToken, refreshToken, expiresAt: this.#now + lifeMs };
    this.disk.put([{ key: "session", value: { userId, deviceId, handle, tokens } }]);
    this.#isSignedIn = true;
    if (this.#wantsOnline) this.#openTab();
  }

  get #now(): number {
    return Math.floor(this.#works.now + this.#skewMs);
  }

  // --- tabs ---

  get #open(): OpenTab[] {
    return this.tabs.filter((tab): tab is OpenTab => tab.client !== null);
  }

  #openTab(): void {
    if (!this.#isSignedIn || this.tabs.length >= (this.#browser ? TABS_MAX : 1)) return;
    this.#changing();
    const tab = new Tab(this.#tabPorts(), ++this.#places, !this.#background);
    this.tabs.push(tab);
    this.#works.note(`${this.deviceId.slice(-4)} opens tab ${tab.place}`);
    tab.start().then(
      () => this.#opened(tab),
      (error) => this.bugs.push(`a tab does not start: ${error}`),
    );
  }

  #opened(tab: Tab): void {
    if (!tab.isAlive || !tab.client) return;
    tab.client.watch(this.watched);
    for (const act of this.#later.splice(0)) act(tab as OpenTab);
    if (this.#browser && this.tabs.length < TABS_MAX && this.#works.chance(0.6))
      this.#works.after(this.#works.pick(2_000), () => this.tabs.includes(tab) && this.#openTab());
  }

  #tabPorts(): TabPorts {
    return {
      ...{ works: this.#works, server: this.#server, internet: this.#internet, disk: this.disk },
      ...{ browser: this.#browser, userId: this.userId, now: () => this.#now, hasNetwork: () => this.#hasNetwork },
      hears: (tab, text) => this.#hear(tab, text),
      says: (tab, text) => {
        this.#works.tell(() => `${this.deviceId.slice(-4)} tab ${tab.place} says ${text}`);
        if (tab.client?.storage === "full") this.#holdsInMemory(tab.client);
      },
      leads: () => {
        for (const tab of this.tabs) tab.forget();
      },
      told: (event, told) => {
        const wish = this.#byKey.get(told.id);
        if (!wish) return void this.bugs.push(`[CL-48] ${event} is told of ${told.id}, for which nobody wished`);
        wish.ended = event;
        if ("seq" in told) wish.ackedAt = told.seq;
      },
      wrong: (what) => void this.bugs.push(`[CL-48] ${this.deviceId.slice(-4)}: ${what}`),
    };
  }

  #hear(tab: Tab, text: string): void {
    if (text === "pong") return;
    this.#works.tell(() => `${this.deviceId.slice(-4)} tab ${tab.place} hears ${text.slice(0, 400)}`);
    const frame = JSON.parse(text) as ServerFrame;
    if (frame.type === "welcome") {
      this.welcomedAt = this.#works.now;
      this.arrivedAt ||= this.#works.now;
      this.knowsTime = true;
    }
    this.hears(frame);
    if (DECISIVE.has(frame.type) && this.#works.chance(0.05)) this.#dieSoon(tab);
  }

  /** [CL-48] With what it has just heard on its disk or not, and told to the other tabs or not. */
  #dieSoon(tab: Tab): void {
    if (this.#server.runtime.faults === NO_FAULTS || this.tabs.length < 2) return;
    this.#works.after(this.#works.pick(5), () => this.tabs.includes(tab) && this.#kill(tab));
  }

  /** Whoever may have led is gone: what that tab had not stored, nobody has. */
  #gone(tab: Tab): void {
    this.#changing();
    this.tabs = this.tabs.filter((other) => other !== tab);
    if (tab.socket) this.knowsTime = false;
    for (const wish of this.wishes) if (wish.place === tab.place && !wish.isStored) wish.mayBeLost = true;
    for (const other of this.tabs) other.forget();
  }

  /** [CL-48] What was wished for long ago has come to the tab that leads; and what ended long ago was told where it was wished for. */
  #changing(): void {
    const { now } = this.#works;
    for (const { text, place, isStored, mayBeLost, madeAt } of this.wishes)
      if (!isStored && !mayBeLost && now - Math.max(madeAt, this.#changedAt) > STORED_WITHIN_MS)
        this.bugs.push(`[CL-48] ${text} of tab ${place} was never stored`);
    for (const { open, place } of this.#open)
      for (const id of open.keys()) {
        const { leftAt = now, text } = this.#byKey.get(id) ?? {};
        if (now - Math.max(leftAt, this.#changedAt) > STORED_WITHIN_MS)
          this.bugs.push(`[CL-48] tab ${place} was never told how ${text} ended`);
      }
    this.#changedAt = now;
  }

  #kill(tab: Tab): void {
    this.#works.note(`${this.deviceId.slice(-4)} tab ${tab.place} dies`);
    tab.die();
    this.#gone(tab);
    this.#openLater();
  }

  #openLater(): void {
    this.#works.after(50 + this.#works.pick(3_000), () => {
      if (this.tabs.length === 0 && (this.#wantsOnline || this.#later.length > 0)) this.#openTab();
    });
  }

  /** In good order. */
  #close(tab: Tab): void {
    this.#works.note(`${this.deviceId.slice(-4)} tab ${tab.place} closes`);
    void tab.close().then(() => {
      if (!this.tabs.includes(tab)) return; // it died meanwhile
      this.#gone(tab);
      this.#openLater();
    });
  }

  // --- what its person does ---

  /** In one of the tabs; where the app is not open, it is opened for it. */
  #do(act: (tab: OpenTab) => void): void {
    const open = this.#open;
    const tab = open[this.#works.pick(open.length)];
    if (tab) act(tab);
    else this.#later.push(act);
    if (this.tabs.length === 0) this.#openTab();
  }

  say(conversationId: ConversationId, text: string, mentions: readonly UserId[] = []): void {
    const about = mentions.length > 0 ? { mentions: [...mentions] } : {};
    this.wish(conversationId, text, { kind: "message", content: { type: "text", text, ...about } });
  }

  wish(conversationId: ConversationId, text: string, event: Wish): void {
    this.#do((tab) => {
      const key = tab.wish(conversationId, event, tab.client);
      const isLate = event.kind !== "message";
      const wish: Wishing = {
        key,
        keyNow: key,
        conversationId,
        text,
        isLate,
        place: tab.place,
        madeAt: this.#works.now,
      };
      this.wishes.push(wish);
      this.#byKey.set(key, wish);
      this.#works.tell(() => `${this.deviceId.slice(-4)} tab ${tab.place} wishes ${key} ${text}`);
      if (this.#works.chance(0.2)) void this.#flush(tab);
      if (this.#works.chance(0.04)) this.#works.after(this.#works.pick(25), () => this.#killLeader());
    });
  }

  /** In the middle of what it does for the others. */
  #killLeader(): void {
    const leader = this.tabs.find(({ socket }) => socket !== null);
    if (leader && this.tabs.length > 1) this.#kill(leader);
  }

  /** [CL-45] What was flushed is on the disk. */
  async #flush(tab: OpenTab): Promise<void> {
    const mine = this.wishes.filter(({ place }) => place === tab.place);
    const isFlushed = await tab.client.flush().then(
      () => true,
      () => false, // it is closed before
    );
    if (!isFlushed || !tab.isAlive) return;
    const lost = mine.find(({ isStored }) => !isStored);
    if (lost) this.bugs.push(`[CL-45] ${lost.text} was flushed by tab ${tab.place}, and is not on the disk`);
  }

  read(conversationId: ConversationId): void {
    const tab = this.#open[0];
    if (!tab) return;
    const conversation = tab.client.conversations.get(conversationId);
    const { head } = conversation.snapshot();
    this.everShown.set(conversationId, Math.max(head, this.everShown.get(conversationId) ?? 0));
    conversation.markRead();
  }

  watch(userIds: readonly UserId[]): void {
    this.watched = userIds;
    for (const { client } of this.#open) client.watch(userIds);
  }

  type(conversationId: ConversationId, active: boolean): void {
    this.#open[0]?.client.conversations.get(conversationId).typing(active);
  }

  get background(): boolean {
    return this.#background;
  }

  set background(background: boolean) {
    this.#background = background;
    for (const tab of this.tabs) tab.visible = !background;
  }

  /** What goes on in an app besides talking. */
  fiddle(id: ConversationId): void {
    const works = this.#works;
    const open = this.#open;
    const tab = open[works.pick(open.length)];
    if (!tab) return;
    const dice = works.pick(10);
    if (dice === 0) this.#openTab();
    else if (dice === 1) this.#close(tab);
    else if (dice === 2) this.#kill(tab);
    else if (dice === 3) tab.visible = !tab.visible;
    else if (dice === 4) this.#setClock();
    else if (dice === 5) this.#fill();
    else if (dice === 6) this.#rest(tab);
    else if (dice === 7) this.#changeNetwork();
    else void this.#ask(tab, id);
  }

  #setClock(): void {
    this.#skewMs += this.#works.pick(20_000) - 10_000;
  }

  /** [CL-45] From one network to another: the next socket may be there before the disk has what was to leave on the last one. */
  #changeNetwork(): void {
    if (!this.#hasNetwork) return;
    this.disk.stall(this.#works.pick(3_000));
    this.#works.after(this.#works.pick(200), () => {
      this.cut("another network");
      for (const tab of this.tabs) tab.network(true);
    });
  }

  /** The app wants no socket for a while. */
  #rest({ client }: OpenTab): void {
    this.#isResting = true;
    client.disconnect();
  }

  #fill(): void {
    if (!this.#mayFill || this.#works.chance(0.5)) return;
    this.disk.quota = this.disk.size + this.#works.pick(2_000);
    this.#works.after(this.#works.pick(30_000), () => {
      this.disk.quota = Number.POSITIVE_INFINITY;
    });
  }

  /** Any door may fail; it says so in one way. */
  async #ask({ client }: OpenTab, id: ConversationId): Promise<void> {
    const conversation = client.conversations.get(id);
    const asks = [
      () => conversation.members.load(),
      () => client.contacts.load(),
      () => client.profile.load(),
      () => conversation.loadOlder(),
      () => client.rest(),
    ];
    await asks[this.#works.pick(asks.length)]?.().catch((error: unknown) => {
      if (!(error instanceof EdgewiseError)) this.bugs.push(`a door throws ${error}`);
      else if (error.code === "internal" || error.code === "invalid_request") this.bugs.push(`a door says ${error}`);
    });
  }

  // --- the world about it ---

  goOnline(): void {
    this.#wantsOnline = true;
    if (!this.#hasNetwork) this.#network(true);
    if (this.tabs.length === 0) this.#openTab();
    if (this.#server.runtime.faults === NO_FAULTS) this.#heal();
    if (this.#isResting) for (const { client } of this.#open) client.connect();
    this.#isResting &&= this.#open.length === 0;
  }

  /** Somebody looks, and there is room again. */
  #heal(): void {
    this.disk.quota = Number.POSITIVE_INFINITY;
    this.background = false;
    for (const tab of this.#open) if (tab.client.storage === "full") this.#close(tab);
  }

  /** The network is gone, which the browser may say or not; or the app is closed. */
  goOffline(): void {
    this.#wantsOnline = false;
    if (this.#works.chance(0.4)) for (const tab of this.#open) this.#close(tab);
    this.#network(false);
  }

  #network(up: boolean): void {
    this.#hasNetwork = up;
    if (!up) this.cut("the network is gone");
    const isTold = up || this.#works.chance(0.6);
    if (isTold) for (const tab of this.tabs) tab.network(up);
  }

  cut(why: string): void {
    if (this.tabs.some(({ socket }) => socket?.far)) this.#works.note(`${this.deviceId.slice(-4)} cut: ${why}`);
    for (const { socket } of this.tabs) socket?.cut(this.#works.chance(0.6));
  }

  crash(): void {
    const [first] = this.tabs;
    if (!first) return;
    const one = this.tabs[this.#works.pick(this.tabs.length)] as Tab;
    for (const tab of this.#works.chance(0.5) ? [one] : this.tabs) this.#kill(tab);
  }

  has(socket: ServerSocket): boolean {
    return this.tabs.some((tab) => tab.socket?.far === socket);
  }

  loses(socket: ServerSocket): void {
    for (const tab of this.tabs) if (tab.socket?.far === socket) tab.socket.cut(this.#works.chance(0.8));
  }

  // --- what lies on its disk ---

  #landed(batch: readonly Write[]): void {
    for (const { key, value } of batch) {
      const name = key.slice(key.indexOf("/") + 1);
      if (key.startsWith("held/") && value) {
        const id = name as ConversationId;
        this.everHeld.set(id, Math.max((value as Held).covered, this.everHeld.get(id) ?? 0));
      }
      if (key.startsWith("out/")) this.#storedWish(name, value as { entry: Entry } | undefined);
      if (key.startsWith("alias/") && value) this.#renamed(name as IdempotencyKey, value as string);
    }
  }

  /** [CL-24] Where there is no room for logs, what is received is what the page has. */
  #holdsInMemory({ conversations }: Client): void {
    for (const { id, head } of conversations.list())
      this.everHeld.set(id as ConversationId, Math.max(head, this.everHeld.get(id as ConversationId) ?? 0));
  }

  #storedWish(wishId: string, value: { entry: Entry } | undefined): void {
    const wish = this.#byKey.get(wishId);
    if (!wish) return void this.bugs.push(`[CL-45] ${wishId} lies in the outbox, and nobody wished for it`);
    wish.isStored = true;
    if (!value) wish.leftAt ??= this.#works.now;
    if (value?.entry.standing.is === "failed") wish.failed = value.entry.standing.code;
    if (!value && wish.ended === "failed") wish.failed ??= "refused";
  }

  #renamed(key: IdempotencyKey, wishId: string): void {
    const wish = this.#byKey.get(wishId);
    if (!wish || wish.keyNow === key) return;
    Object.assign(wish, { keyNow: key, reminted: true });
  }

  get state(): ClientState {
    if (this.#decoded?.version !== this.disk.version)
      this.#decoded = { version: this.disk.version, state: new Encoder().load(this.disk.read("")) };
    return this.#decoded.state;
  }

  held(conversationId: ConversationId): Held {
    return heldOf(this.state.replica, conversationId);
  }

  covered(conversationId: ConversationId): number {
    return this.held(conversationId).covered;
  }

  events(conversationId: ConversationId): readonly Event[] {
    return this.held(conversationId).events;
  }

  get position(): number {
    return Number(this.state.replica.cursor?.split(".")[1] ?? 0);
  }

  get outboxSize(): number {
    const waits = this.state.replica.outbox.filter(({ standing }) => standing.is !== "failed").length;
    const unsettled = this.#open.reduce((sum, { open }) => sum + open.size, 0);
    return waits + unsettled + this.#later.length + (this.disk.isIdle ? 0 : 1);
  }

  // --- what its tabs show ---

  get online(): boolean {
    return this.tabs.some(({ socket }) => socket?.isWhole);
  }

  get phase(): string {
    const states = this.tabs.map(({ client }) => client?.connection.is ?? "opening");
    return states.find((is) => is !== "live") ?? states[0] ?? "closed";
  }

  get live() {
    const client = this.#open[0]?.client;
    const presence = this.watched.flatMap((userId) => client?.presenceOf(userId) ?? []);
    return { presence: presence as unknown as AnyDevice["live"]["presence"], shed: client?.shed ?? [] };
  }
}
