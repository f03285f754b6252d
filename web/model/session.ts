import { batch, computed, effect, signal } from "@preact/signals";
import type { Client, Conversation, SessionState } from "../../src/sdk/client/index.ts";
import { type DeviceState, heldOf, type Live, type ReplicaState } from "../../src/sdk/drawing.ts";
import { Attention } from "../attention.ts";
import { Bell } from "../bell.ts";
import { type Connection, connectionOf } from "../connection.ts";
import { answered, type Lend, lent } from "../doors.ts";
import { Names, Questions } from "../names.ts";
import { Naming } from "../naming.ts";
import { refusalText } from "../phrases.ts";
import { onNotificationClick } from "../push.ts";
import { listOf } from "../rows.ts";
import type { Contact, ConversationId, ErrorCode, IdempotencyKey, UserId, Wish } from "../wire.ts";
import { Drafts } from "./drafts.ts";
import { Leaving } from "./leaving.ts";
import { LookingBack } from "./looking-back.ts";
import { Looks } from "./looks.ts";
import { Told } from "./news.ts";
import { Places } from "./places.ts";
import { openId } from "./route.ts";
import { tell } from "./shows.ts";
import { Takeout } from "./takeout.ts";
import { Uploads } from "./uploads.ts";

const MINUTE_MS = 60_000;

type Opened = { readonly client: Client; readonly profile: string };
type SignedIn = Extract<SessionState, { is: "signed_in" }>;

/**
 * [AP-2] The one seam between what is seen and what the device does: components read these signals and call these acts, and nothing below
 * this file is known to them. It is a layer of signals over the SDK's client, which has the socket, the store and the tabs.
 */
export class Session {
  readonly me: UserId;
  readonly handle: string;
  readonly deviceId: string;
  readonly state = signal<ReplicaState>({ conversations: {}, outbox: [] });
  readonly live = signal<Live>({ typing: [], presence: [], shed: [], profile: null });
  readonly connection = signal<Connection>({ is: "connecting" });
  /** Epoch ms by the server's clock: as of the last change, or a minute ago at most. */
  readonly now = signal(Date.now());
  /** Whether the logs are read: the list is shown before. [CL-54] */
  readonly whole = signal(false);
  readonly visible = signal(document.visibilityState === "visible");
  readonly rings = signal(false);
  readonly contacts = signal<readonly Contact[]>([]);
  readonly #about = signal<DeviceState["about"]>({});
  readonly told = new Told(this.#about);
  readonly #people = signal<DeviceState["people"]>({});
  readonly naming = computed(() => {
    const names = new Names({ about: this.#about.value, people: this.#people.value }, this.me, this.#questions);
    return new Naming(names, this.me);
  });
  readonly list = computed(() => {
    const listed = listOf(this.state.value, { me: this.me, now: this.now.value });
    return listed.map((item) => ({ ...item, unread: this.unread(item.id, item.unread) }));
  });
  readonly waiting = computed(() => this.state.value.outbox.filter(({ standing }) => standing.is === "waiting").length);
  readonly client: Client;
  readonly back = new LookingBack({
    state: this.state,
    around: (id, seq) =>
      this.chat(id)
        .around(seq)
        .catch(() => null),
  });
  readonly places: Places;
  readonly looks: Looks;
  readonly drafts: Drafts;
  readonly uploads: Uploads;
  readonly takeout: Takeout;
  readonly leaving: Leaving;
  /** Calls a door as this device; a refusal is an answer, too. */
  readonly call: Lend["call"];
  /** What the client does, as components want it: a refusal is an answer. */
  readonly answered = answered;
  readonly #questions: Questions;
  readonly #attention: Attention;
  readonly #bell: Bell;
  #refreshing = 0;
  #wasConnected = false;
  #rests = false;

  constructor({ client, profile }: Opened, { userId, deviceId, handle }: SignedIn) {
    this.client = client;
    this.me = userId;
    this.deviceId = deviceId;
    this.handle = handle;
    const lend = lent(client);
    this.call = lend.call;
    this.#questions = new Questions({
      person: (id) => client.people.get(id),
      conversation: (id) => client.conversations.get(id).members.load(),
    });
    this.#bell = new Bell(deviceId, lend);
    this.#attention = new Attention(document, { rest: () => this.#rest(), wake: () => this.connect() }, () => {
      this.visible.value = this.#attention.isVisible;
    });
    this.looks = new Looks((id) => client.people.get(id));
    this.places = new Places(lend, () => client.serverNow - Date.now());
    this.drafts = new Drafts(deviceId);
    this.uploads = new Uploads(client, (id, content) => this.say(id, { kind: "message", content }));
    this.takeout = new Takeout(client, handle);
    const { drafts, takeout } = this;
    this.leaving = new Leaving({ client, profile, handle, bell: this.#bell, drafts, takeout });
    this.#refresh();
    this.#listen();
    void this.#bell.start().then(() => this.#heedBell());
  }

  #listen(): void {
    const { client } = this;
    client.subscribe(() => this.#soon());
    client.on("failed", ({ id, error }) => this.#failed(id, error.code));
    onNotificationClick((id) => location.assign(`#${id}`));
    setInterval(() => this.#refresh(), MINUTE_MS); // a mute ends, today becomes yesterday
    effect(() => this.#bell.hush(this.state.value));
    effect(() => this.#watch());
  }

  /** [CL-12] A message that was refused stands in its place; of what was said of one, the person is told. */
  #failed(id: string, code: ErrorCode): void {
    const { outbox } = this.client.state.replica;
    const isShown = outbox.some(({ wishId, event }) => wishId === id && event.kind === "message");
    if (!isShown) tell(refusalText(code));
  }

  /** [CL-32] The other one of the open conversation. */
  #watch(): void {
    const id = openId.value;
    const peer = id ? this.naming.value.peer(id) : null;
    const wanted = peer ? [peer] : [];
    if (wanted.join() !== this.#watched.join()) this.client.watch(wanted);
    this.#watched = wanted;
  }
  #watched: readonly UserId[] = [];

  #soon(): void {
    if (this.#refreshing !== 0) return;
    this.#refreshing = setTimeout(() => {
      this.#refreshing = 0;
      this.#refresh();
    });
  }

  #refresh(): void {
    const { state, live, serverNow: now } = this.client;
    batch(() => {
      const isOld = Math.abs(now - this.now.peek()) > MINUTE_MS / 2;
      if (state.replica !== this.state.peek() || this.back.isOpen || isOld) this.now.value = now;
      this.state.value = state.replica;
      this.contacts.value = this.client.contacts.list();
      this.#about.value = state.about;
      this.#people.value = state.people;
      this.live.value = live;
      this.whole.value = this.client.isWhole;
      this.#refreshConnection();
    });
    const isConnected = this.connection.peek().is === "connected";
    if (isConnected && !this.#wasConnected) {
      this.#questions.retry();
      this.#about.value = { ...state.about }; // whoever shows what is not known asks again
    }
    this.#wasConnected = isConnected;
  }

  #refreshConnection(): void {
    const next = connectionOf(this.client.connection, this.#rests);
    if (next.is !== "offline" && next.is !== "asleep") this.#rests = false;
    const known = this.connection.peek();
    const isSame = known.is === "waiting" && next.is === "waiting" && Math.abs(known.until - next.until) < 50;
    if (!isSame && JSON.stringify(known) !== JSON.stringify(next)) this.connection.value = next;
  }

  // --- acts ---

  chat(id: ConversationId): Conversation {
    return this.client.conversations.get(id);
  }
  /** A message, or what is said of one. */
  say(id: ConversationId, wish: Wish): void {
    this.chat(id).wish(wish);
  }
  /** [CL-12] */
  retry(wishId: IdempotencyKey): void {
    this.client.retry(wishId);
  }
  discard(wishId: IdempotencyKey): void {
    this.client.discard(wishId);
  }
  /** [CL-26] Everything up to `seq` was on a visible screen. */
  read(id: ConversationId, seq: number): void {
    this.chat(id).markRead(seq);
  }
  /** [CL-31] */
  typing(id: ConversationId, active: boolean): void {
    this.chat(id).typing(active);
  }
  connect(): void {
    this.client.connect();
  }

  // --- what is not here ---

  /** Whether there is more of the conversation than this device keeps. */
  hasOlder(id: ConversationId): boolean {
    return heldOf(this.state.value, id).from > 1;
  }
  /** [CL-39] Fetches a page of what lies below. Answers whether anything came. */
  async older(id: ConversationId): Promise<boolean> {
    const count = await this.chat(id)
      .loadOlder()
      .catch(() => 0);
    this.#refresh();
    return count > 0;
  }
  /** Unread messages: `here` of what is kept; of what is not, as many as the server counted. */
  unread(id: ConversationId, here: number): number {
    return this.hasOlder(id) ? this.chat(id).snapshot().unread : here;
  }

  // --- rest ---

  async #rest(): Promise<boolean> {
    this.#rests = await this.client.rest();
    this.#refresh();
    return this.#rests;
  }

  /** Turns pushes to this device on or off; answers what is in the way, for a person. */
  async ring(on: boolean): Promise<string> {
    const problem = await this.#bell.turn(on);
    this.#heedBell();
    return problem ?? "";
  }
  #heedBell(): void {
    this.#attention.getsPushes = this.rings.value = this.#bell.isOn;
  }
}
