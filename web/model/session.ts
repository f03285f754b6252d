import { batch, computed, effect, signal } from "@preact/signals";
import type { Wish } from "../../src/protocol/events.ts";
import type { Conversation, Profile } from "../../src/protocol/http.ts";
import type { ConversationId, IdempotencyKey, UserId } from "../../src/protocol/ids.ts";
import type { Mine } from "../../src/protocol/states.ts";
import { type Live, NOTHING_LIVE, NOTHING_STORED, type ReplicaState } from "../../src/sdk/index.ts";
import { type Account, forgetAccount, rememberTab, Tokens } from "../accounts.ts";
import { Attention } from "../attention.ts";
import { Bell } from "../bell.ts";
import { DeviceStore } from "../device-store.ts";
import type { Call, Called, PageDoor } from "../doors.ts";
import { Names } from "../names.ts";
import { Naming } from "../naming.ts";
import { onNotificationClick } from "../push.ts";
import { listOf } from "../rows.ts";
import { type Connection, Shell } from "../shell.ts";
import { Drafts } from "./drafts.ts";
import { Told } from "./news.ts";
import { Places } from "./places.ts";
import { openId } from "./route.ts";
import { Uploads } from "./uploads.ts";

const MINUTE_MS = 60_000;

/**
 * [AP-2] The one seam between what is seen and what the device does: components read these signals and call these acts, and nothing below
 * this file is known to them.
 */
export class Session {
  readonly me: UserId;
  readonly handle: string;
  readonly deviceId: string;
  readonly state = signal<ReplicaState>(NOTHING_STORED);
  readonly live = signal<Live>(NOTHING_LIVE);
  readonly connection = signal<Connection>({ is: "connecting" });
  /** Epoch ms by the server's clock: as of the last change, or a minute ago at most. */
  readonly now = signal(Date.now());
  readonly visible = signal(document.visibilityState === "visible");
  readonly rings = signal(false);
  readonly #namesChanged = signal(0);
  readonly naming = computed(() => {
    this.#namesChanged.value;
    return new Naming(this.#names, this.state.value, this.me);
  });
  readonly list = computed(() => listOf(this.state.value, { me: this.me, now: this.now.value }));
  readonly waiting = computed(() => this.state.value.outbox.filter(({ standing }) => standing.is === "waiting").length);
  readonly places: Places;
  readonly drafts: Drafts;
  readonly told: Told;
  readonly uploads: Uploads;
  readonly #account: Account;
  readonly #store: DeviceStore;
  readonly #tokens: Tokens;
  readonly #names: Names;
  readonly #shell: Shell;
  readonly #attention: Attention;
  readonly #bell: Bell;
  readonly #onReplaced: () => void;
  #refreshing = 0;
  #wasConnected = false;

  constructor(account: Account, onReplaced: () => void) {
    this.#account = account;
    this.#onReplaced = onReplaced;
    this.me = account.userId;
    this.handle = account.handle;
    this.deviceId = account.deviceId;
    this.#store = new DeviceStore(account.deviceId);
    this.#tokens = new Tokens(account);
    this.#names = new Names(account.deviceId, this.#tokens, () => {
      this.#namesChanged.value += 1;
    });
    this.told = new Told(account.deviceId, this.#tokens);
    this.#shell = new Shell(
      this.#store,
      this.#tokens,
      () => this.#soon(),
      (frame) => this.told.hear(frame),
    );
    this.#bell = new Bell(account.deviceId, this.#tokens);
    this.#attention = new Attention(document, this.#shell, () => {
      this.visible.value = this.#attention.isVisible;
    });
    this.places = new Places(this.#tokens);
    this.drafts = new Drafts(account.deviceId);
    this.uploads = new Uploads(this.#tokens, (id, content) => this.say(id, { kind: "message", content }));
    this.#refresh();
    this.#listen();
    this.#shell.connect();
    void this.#bell.start().then(() => this.#heedBell());
  }

  #listen(): void {
    addEventListener("online", () => this.#shell.check());
    addEventListener("offline", () => this.#shell.check());
    onNotificationClick((id) => location.assign(`#${id}`));
    setInterval(() => this.#refresh(), MINUTE_MS); // a mute ends, today becomes yesterday
    effect(() => this.#bell.hush(this.state.value));
    effect(() => this.#watch());
  }

  /** [CL-32] The other one of the open conversation, while somebody looks. */
  #watch(): void {
    const id = openId.value;
    const peer = id && this.visible.value ? this.naming.value.peer(id) : null;
    this.#shell.watch(peer ? [peer] : []);
  }

  #soon(): void {
    if (this.#refreshing !== 0) return;
    this.#refreshing = setTimeout(() => {
      this.#refreshing = 0;
      this.#refresh();
    });
  }

  #refresh(): void {
    const { connection, state, live, serverNow } = this.#shell;
    batch(() => {
      if (state !== this.state.peek() || Math.abs(serverNow - this.now.peek()) > MINUTE_MS / 2)
        this.now.value = serverNow;
      this.state.value = state;
      this.live.value = live;
      this.connection.value = connection;
    });
    if (connection.is === "stopped" && connection.why === "replaced") this.#onReplaced();
    const isNew = connection.is === "connected" && !this.#wasConnected;
    this.#wasConnected = connection.is === "connected";
    if (isNew) this.#names.retry();
  }

  // --- acts ---

  /** A message, or what is said of one. */
  say(id: ConversationId, wish: Wish): void {
    this.#shell.send(id, wish);
  }
  discard(wishId: IdempotencyKey): void {
    this.#shell.discard(wishId);
  }
  /** [CL-26] Everything up to `seq` was on a visible screen. */
  read(id: ConversationId, seq: number): void {
    this.#shell.read(id, seq);
  }
  /** [CL-31] */
  typing(id: ConversationId, active: boolean): void {
    this.#shell.typing(id, active);
  }
  /** The server took this for the conversation. */
  set(id: ConversationId, mine: Mine): void {
    this.#shell.set(id, mine);
  }
  keep(conversation: Conversation): void {
    this.#names.keep(conversation);
  }
  keepUser(profile: Profile): void {
    this.#names.keepUser(profile);
  }
  call<D extends PageDoor>(name: D, sent: Omit<Call, "token"> = {}): Promise<Called<D>> {
    return this.#tokens.call(name, sent);
  }
  connect(): void {
    this.#shell.connect();
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

  /** Another tab has taken this device over: this one must write nothing any more. */
  giveUp(): void {
    this.#names.stop();
    this.#shell.stop("replaced");
  }

  /** Answers what is in the way, for a person; otherwise the page begins anew. */
  async signOut(): Promise<string> {
    const token = await this.#tokens.fresh();
    const answer = token === "signed_out" ? null : await this.#tokens.call("signOut");
    if (answer && !answer.ok && answer.code !== "device_revoked")
      return "The server did not answer: you are still signed in";
    await this.leave();
    return "";
  }

  /** Nothing of this device stays in the browser. */
  async leave(): Promise<void> {
    this.#shell.stop("signed_out");
    this.#names.stop();
    await this.#bell.forget();
    this.#store.forget();
    forgetAccount(this.#account);
    rememberTab(null);
    location.replace("/");
  }
}
