import { batch, computed, effect, signal } from "@preact/signals";
import { ERRORS, type ErrorCode } from "../../src/protocol/errors.ts";
import type { Wish } from "../../src/protocol/events.ts";
import type { Contact, Conversation, Profile } from "../../src/protocol/http.ts";
import type { ConversationId, DeviceId, IdempotencyKey, UserId } from "../../src/protocol/ids.ts";
import { ok, type Result, refuse } from "../../src/protocol/result.ts";
import type { Mine } from "../../src/protocol/states.ts";
import type { Client, SessionState } from "../../src/sdk/client/api.ts";
import { EdgewiseError } from "../../src/sdk/client/errors.ts";
import type { Inside } from "../../src/sdk/client/inside.ts";
import type { ClientState } from "../../src/sdk/client/state.ts";
import { heldOf, type Live, type ReplicaState } from "../../src/sdk/index.ts";
import { Attention } from "../attention.ts";
import { Bell } from "../bell.ts";
import { type Connection, connectionOf } from "../connection.ts";
import { type Call, type Called, type Lend, lent, type PageDoor } from "../doors.ts";
import { Names, Questions } from "../names.ts";
import { Naming } from "../naming.ts";
import { forgetProfile, rememberErased, rememberTab } from "../profiles.ts";
import { onNotificationClick } from "../push.ts";
import { listOf } from "../rows.ts";
import { Drafts } from "./drafts.ts";
import { LookingBack } from "./looking-back.ts";
import { Told } from "./news.ts";
import { Places } from "./places.ts";
import { openId } from "./route.ts";
import { tell } from "./shows.ts";
import { Takeout } from "./takeout.ts";
import { Uploads } from "./uploads.ts";

const MINUTE_MS = 60_000;

type SignedIn = Extract<SessionState, { is: "signed_in" }>;

/**
 * [AP-2] The one seam between what is seen and what the device does: components read these signals and call these acts, and nothing below
 * this file is known to them. It is a layer of signals over the SDK's client, which has the socket, the store and the tabs.
 */
export class Session {
  readonly me: UserId;
  readonly handle: string;
  readonly deviceId: string;
  readonly state = signal<ReplicaState>({ cursor: null, conversations: {}, outbox: [] });
  readonly live = signal<Live>({
    typing: [],
    presence: [],
    shed: [],
    shedUntil: Number.POSITIVE_INFINITY,
    profile: null,
  });
  readonly connection = signal<Connection>({ is: "connecting" });
  /** Epoch ms by the server's clock: as of the last change, or a minute ago at most. */
  readonly now = signal(Date.now());
  /** Whether the logs are read: the list is shown before. [CL-54] */
  readonly whole = signal(false);
  readonly visible = signal(document.visibilityState === "visible");
  readonly rings = signal(false);
  readonly contacts = signal<readonly Contact[]>([]);
  readonly #about = signal<ClientState["about"]>({});
  readonly told = new Told(this.#about);
  readonly #people = signal<ClientState["people"]>({});
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
      this.client.conversations
        .get(id)
        .around(seq)
        .catch(() => null),
  });
  readonly places: Places;
  readonly drafts: Drafts;
  readonly uploads: Uploads;
  readonly takeout: Takeout;
  readonly #inside: Inside;
  readonly #profile: string;
  readonly #lend: Lend;
  readonly #questions: Questions;
  readonly #attention: Attention;
  readonly #bell: Bell;
  #refreshing = 0;
  #wasConnected = false;
  #rests = false;
  #isLeaving = false;

  constructor(inside: Inside & { readonly profile: string }, { userId, deviceId, handle }: SignedIn) {
    this.#inside = inside;
    this.#profile = inside.profile;
    this.client = inside.client;
    this.me = userId as UserId; // of the server's own answer
    this.deviceId = deviceId;
    this.handle = handle;
    const { client } = inside;
    this.#lend = lent(client);
    this.#questions = new Questions({
      person: (id) => client.people.get(id),
      conversation: (id) => client.conversations.get(id).members.load(),
    });
    this.#bell = new Bell(deviceId as DeviceId, this.#lend);
    this.#attention = new Attention(document, { rest: () => this.#rest(), wake: () => this.connect() }, () => {
      this.visible.value = this.#attention.isVisible;
    });
    this.places = new Places(this.#lend, () => client.serverNow - Date.now());
    this.drafts = new Drafts(deviceId);
    this.uploads = new Uploads(client, (id, content) => this.say(id, { kind: "message", content }));
    this.takeout = new Takeout(client, handle);
    this.#refresh();
    this.#listen();
    void this.#bell.start().then(() => this.#heedBell());
  }

  #listen(): void {
    const { client } = this;
    client.subscribe(() => this.#soon());
    client.on("session", (session) => {
      if (session.is !== "signed_out") return;
      if (session.because === "signed_out")
        this.#gone(); // in another tab
      else if (session.because === "erased" && session.handle !== null)
        return; // its store is cleared first
      else if (session.because === "erased") void this.#erased();
      else void this.#ended(session.because === "revoked");
    });
    client.on("failed", ({ id, error }) => this.#failed(id, error.code));
    onNotificationClick((id) => location.assign(`#${id}`));
    setInterval(() => this.#refresh(), MINUTE_MS); // a mute ends, today becomes yesterday
    effect(() => this.#bell.hush(this.state.value));
    effect(() => this.#watch());
  }

  /** [CL-12] A message that was refused stands in its place; of what was said of one, the person is told. */
  #failed(id: string, code: keyof typeof ERRORS): void {
    const isShown = this.#inside
      .sight()
      .state.replica.outbox.some(({ wishId, event }) => wishId === id && event.kind === "message");
    if (!isShown) tell(ERRORS[code].title);
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
    const { state, moment, now } = this.#inside.sight();
    batch(() => {
      if (state.replica !== this.state.peek() || Math.abs(now - this.now.peek()) > MINUTE_MS / 2) this.now.value = now;
      this.state.value = state.replica;
      this.contacts.value = this.client.contacts.list() as readonly Contact[]; // ids are branded inside only
      this.#about.value = state.about;
      this.#people.value = state.people;
      this.live.value = moment.live;
      this.whole.value = this.#inside.isWhole();
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

  /** A message, or what is said of one. */
  say(id: ConversationId, wish: Wish): void {
    this.client.conversations.get(id).wish(wish);
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
    this.client.conversations.get(id).markRead(seq);
  }
  /** [CL-31] */
  typing(id: ConversationId, active: boolean): void {
    this.client.conversations.get(id).typing(active);
  }
  /** The server took this for the conversation. */
  set(id: ConversationId, mine: Mine): void {
    void this.#inside.run({ do: "tell", happening: { type: "set", conversationId: id, mine } }).catch(() => {});
  }
  keep(conversation: Conversation): void {
    void this.#inside.run({ do: "know", conversation }).catch(() => {});
  }
  keepUser({ userId, handle, displayName }: Profile): void {
    void this.#inside.run({ do: "know", profiles: [{ userId, handle, displayName }] }).catch(() => {});
  }
  call<D extends PageDoor>(name: D, sent: Call = {}): Promise<Called<D>> {
    return this.#lend.call(name, sent);
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
    const count = await this.client.conversations
      .get(id)
      .loadOlder()
      .catch(() => 0);
    this.#refresh();
    return count > 0;
  }
  /** Unread messages: `here` of what is kept; of what is not, as many as the server counted. */
  unread(id: ConversationId, here: number): number {
    return this.hasOlder(id) ? this.client.conversations.get(id).snapshot().unread : here;
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

  // --- the end ---

  /** Also where the server does not answer: then its list of devices shows this one until somebody ends it there. Answers what is in the way. */
  async signOut(): Promise<string> {
    await this.leave();
    return "";
  }

  /** [AP-31] What was on the screen goes from it, and the page begins anew where the person may sign in again. */
  async #ended(isRevoked: boolean): Promise<void> {
    if (this.#isLeaving) return;
    if (isRevoked) {
      this.drafts.forget();
      await this.#bell.forget();
    }
    await this.client.flush();
    location.replace("/");
  }

  /** Nothing of this device stays in the browser. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#bell.forget();
    await this.client.signOut();
    await this.client.close();
    this.#isLeaving = false;
    this.#gone();
  }

  /** [AP-30] With a wrong password nothing changes. Where it is done, the page goes as when any device of the person is told of it. */
  async erase(password: string): Promise<Result<null, ErrorCode>> {
    try {
      await this.client.erase({ password });
      return ok(null);
    } catch (error) {
      return error instanceof EdgewiseError ? refuse(error.code) : refuse("unavailable");
    }
  }

  async #erased(): Promise<void> {
    rememberErased(this.handle);
    await this.#bell.forget();
    this.#gone();
  }

  #gone(): void {
    if (this.#isLeaving) return;
    this.takeout.cancel();
    this.drafts.forget();
    forgetProfile(this.#profile);
    rememberTab(null);
    location.replace("/");
  }
}
