import { ConversationId } from "../src/protocol/ids.ts";
import { type Account, forgetAccount, rememberTab, Tokens } from "./accounts.ts";
import { Attention } from "./attention.ts";
import { Bell } from "./bell.ts";
import { drawConnection, drawShed } from "./connection-view.ts";
import { ConversationView } from "./conversation-view.ts";
import { DeviceStore } from "./device-store.ts";
import { byId, setText } from "./dom.ts";
import { call } from "./doors.ts";
import { HeaderView } from "./header-view.ts";
import { InfoView } from "./info-view.ts";
import { drawList } from "./list-view.ts";
import { MediaView } from "./media-view.ts";
import { Names } from "./names.ts";
import { Naming } from "./naming.ts";
import { onNotificationClick } from "./push.ts";
import { listOf } from "./rows.ts";
import { SettingsView } from "./settings-view.ts";
import { Shell } from "./shell.ts";
import { Uploads } from "./uploads.ts";
import { WishesView } from "./wishes-view.ts";

/** The page of somebody who is signed in. It draws the state as a whole, soon after anything has changed. */
export class Chat {
  readonly #account: Account;
  readonly #store: DeviceStore;
  readonly #tokens: Tokens;
  readonly #names: Names;
  readonly #shell: Shell;
  readonly #attention: Attention;
  readonly #bell: Bell;
  readonly #view: ConversationView;
  readonly #header: HeaderView;
  readonly #info: InfoView;
  readonly #settings: SettingsView;
  readonly #onReplaced: () => void;
  #drawing = 0;
  #wasConnected = false;

  constructor(account: Account, onReplaced: () => void) {
    this.#account = account;
    this.#onReplaced = onReplaced;
    this.#store = new DeviceStore(account.deviceId);
    this.#tokens = new Tokens(account);
    this.#names = new Names(account.deviceId, this.#tokens, () => this.#changed());
    this.#shell = new Shell(this.#store, this.#tokens, () => this.#changed());
    this.#view = new ConversationView(this.#shell, account.userId, new MediaView(this.#tokens));
    this.#view.onWish = () => this.#draw();
    this.#view.onInfo = (seq) => this.#showInfo(seq);
    new Uploads(
      this.#tokens,
      (id, content) => this.#shell.send(id, { kind: "message", content }),
      () => this.#view.id,
    );
    this.#header = new HeaderView(this.#shell, this.#tokens);
    this.#info = new InfoView(this.#tokens);
    this.#bell = new Bell(account.deviceId, this.#tokens);
    this.#settings = new SettingsView(this.#tokens, this.#bell, () => this.#heedBell());
    new WishesView(this.#tokens, this.#names, (id) => location.assign(`#${id}`));
    this.#attention = new Attention(document, this.#shell, () => this.#draw());
    this.#listen();
    setText(byId("my-handle", HTMLElement), account.handle);
    byId("chat", HTMLElement).hidden = false;
    this.#navigate();
    this.#shell.connect();
    void this.#bell.start().then(() => this.#heedBell());
  }

  #heedBell(): void {
    this.#attention.getsPushes = this.#bell.isOn;
  }

  #showInfo(seq: number): void {
    const { id } = this.#view;
    if (id) this.#info.open(this.#shell.state, { id, seq }, this.#account.userId);
    this.#draw();
  }

  #listen(): void {
    addEventListener("hashchange", () => this.#navigate());
    addEventListener("online", () => this.#shell.check());
    addEventListener("offline", () => this.#shell.check());
    onNotificationClick((id) => location.assign(`#${id}`));
    byId("back", HTMLButtonElement).onclick = () => location.assign("#");
    byId("sign-out", HTMLButtonElement).onclick = () => void this.#signOut();
    byId("try-now", HTMLButtonElement).onclick = () => this.#tryNow();
    setInterval(() => this.#drawConnection(), 1_000); // it counts down
    setInterval(() => this.#changed(), 60_000); // a mute ends, today becomes yesterday
  }

  /** The conversation that the address names is the open one, also after a reload. */
  #navigate(): void {
    const id = ConversationId.safeParse(location.hash.slice(1)).data ?? null;
    byId("chat", HTMLElement).dataset.shows = id ? "conversation" : "list";
    this.#view.open(id);
    this.#draw();
  }

  /** Another tab has taken this device over: this one must write nothing any more. */
  giveUp(): void {
    this.#shell.stop("replaced");
  }

  #changed(): void {
    if (this.#drawing !== 0) return;
    this.#drawing = setTimeout(() => {
      this.#drawing = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const { connection, state } = this.#shell;
    if (connection.is === "stopped" && connection.why === "replaced") {
      this.#onReplaced();
      return;
    }
    this.#askNamesAgain(connection.is === "connected");
    const naming = new Naming(this.#names, state, this.#account.userId);
    this.#drawList(naming);
    if (this.#view.id) this.#header.draw(this.#view.id, naming);
    this.#view.draw(naming);
    this.#info.draw(state, naming);
    this.#settings.draw(this.#shell.live);
    this.#bell.hush(state);
    this.#watch(naming);
    drawShed(this.#shell.live.shed);
    this.#drawConnection();
  }

  #drawList(naming: Naming): void {
    const { state, live, serverNow: now } = this.#shell;
    const me = this.#account.userId;
    drawList({ listed: listOf(state, { me, now }), naming, live, me, open: this.#view.id, now });
  }

  /** [CL-32] The other one of the open conversation, while somebody looks. */
  #watch(naming: Naming): void {
    const peer = this.#view.id && this.#attention.isVisible ? naming.peer(this.#view.id) : null;
    this.#shell.watch(peer ? [peer] : []);
  }

  #askNamesAgain(isConnected: boolean): void {
    const isNew = isConnected && !this.#wasConnected;
    this.#wasConnected = isConnected;
    if (isNew) this.#names.retry();
  }

  #drawConnection(): void {
    const waiting = this.#shell.state.outbox.filter(({ standing }) => standing.is === "waiting").length;
    drawConnection(this.#shell.connection, waiting);
  }

  #tryNow(): void {
    if (this.#shell.connection.is === "stopped") void this.#leave();
    else this.#shell.connect();
  }

  async #signOut(): Promise<void> {
    const token = await this.#tokens.fresh();
    const answer = token && token !== "signed_out" ? await call("signOut", { token }) : null;
    if (token === "signed_out" || answer?.ok || answer?.code === "device_revoked") await this.#leave();
    else setText(byId("side-problem", HTMLElement), "The server did not answer: you are still signed in");
  }

  /** Nothing of this device stays in the browser. */
  async #leave(): Promise<void> {
    this.#shell.stop("signed_out");
    await this.#bell.forget();
    this.#store.forget();
    forgetAccount(this.#account);
    rememberTab(null);
    location.replace("/");
  }
}
