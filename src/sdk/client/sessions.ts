import type { Fetch, SessionState } from "./api.ts";
import { type Answered, callDoor, type Sent } from "./doors.ts";
import { EdgewiseError } from "./errors.ts";
import type { Store } from "./storage.ts";
import type { DoorName, Doors, ErrorCode, Session, TokenPair } from "./wire.ts";

/** A token is not used for the last minute of its life. Ms. */
const EARLY_MS = 60_000;
const KEY = "session";

/** How a session ended that its person did not end here. Expired: its tokens ran out, and the device may come back as it was. */
type End = "revoked" | "expired";
/** What is stored of a session. `expiresAt`: epoch ms by this device's own clock, however wrong that is. `tokens` null: it has ended. */
type Kept = {
  readonly end?: End;
  readonly userId: string;
  readonly deviceId: string;
  readonly handle: string;
  readonly tokens: { readonly accessToken: string; readonly refreshToken: string; readonly expiresAt: number } | null;
};

/** One at a time, over all tabs that hold the same store. */
export type Exclusive = <T>(act: () => Promise<T>) => Promise<T>;
type Ports = {
  readonly url: string;
  readonly fetch: Fetch;
  readonly store: Store;
  readonly exclusive: Exclusive;
  readonly now: () => number;
  readonly onChange: () => void;
};

/** The server will never take these tokens again. */
const OVER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "refresh_reused",
  "device_revoked",
  "token_expired",
  "unauthenticated",
]);
/** The access token, and not the wish, is what is wrong. */
const OF_THE_TOKEN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["token_expired", "unauthenticated"]);

/** Who this device is, and the tokens that show it. */
export class Sessions {
  readonly #ports: Ports;
  #kept: Kept | null = null;
  #refreshing: Promise<string> | null = null;
  #state: SessionState = { is: "signed_out", because: null, handle: null };

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Whose store this is, also after the session has ended. */
  get owner(): { readonly userId: string; readonly deviceId: string } | null {
    return this.#kept;
  }

  /** [CL-57] Whether another device or the server signed this one out: then nothing stays here but what was written. */
  get isRevoked(): boolean {
    return this.#state.is === "signed_out" && this.#state.because === "revoked";
  }

  /** What the store says by now: another tab may have changed it. */
  async load(): Promise<void> {
    const [[, kept] = []] = await this.#ports.store.read(KEY);
    this.#take((kept as Kept | undefined) ?? null);
  }

  async begin({ user, device, ...tokens }: Session, serverTime: number): Promise<void> {
    const { userId, handle } = user;
    await this.#keep({ userId, handle, deviceId: device.deviceId, tokens: this.#local(tokens, serverTime) });
  }

  /** [CL-44] The server wants this device no more. What the person wrote stays where it is. */
  async end(end: End): Promise<void> {
    if (this.#kept?.tokens) await this.#keep({ ...this.#kept, tokens: null, end });
  }

  /** The store was cleared. */
  forget(): void {
    this.#take(null, "signed_out");
  }

  /** [CL-42] An access token that is good for a while yet. `force`: also when the one we have looks good. */
  async token(force = false): Promise<string> {
    const tokens = this.#kept?.tokens;
    if (!tokens) throw new EdgewiseError("unauthenticated", { detail: "nobody is signed in here" });
    if (!force && tokens.expiresAt - this.#ports.now() > EARLY_MS) return tokens.accessToken;
    this.#refreshing ??= this.#ports
      .exclusive(() => this.#refresh(tokens.refreshToken))
      .finally(() => {
        this.#refreshing = null;
      });
    return this.#refreshing;
  }

  /** [CL-42] A refresh token works once, and its second use would sign the device out: what another tab got meanwhile is used. */
  async #refresh(used: string): Promise<string> {
    await this.load();
    const tokens = this.#kept?.tokens;
    if (!this.#kept || !tokens) throw new EdgewiseError("device_revoked", { detail: "the session has ended" });
    if (tokens.refreshToken !== used) return tokens.accessToken;
    try {
      const { value, serverTime } = await callDoor(this.#ports, "refresh", { body: { refreshToken: used } }, null);
      await this.#keep({ ...this.#kept, tokens: this.#local(value, serverTime) });
      return value.accessToken;
    } catch (error) {
      if (error instanceof EdgewiseError && OVER.has(error.code))
        await this.end(OF_THE_TOKEN.has(error.code) ? "expired" : "revoked");
      throw error;
    }
  }

  /** Calls a door as this device; a token that is not taken is renewed, once. */
  async call<D extends DoorName>(name: D, sent: Sent): Promise<Doors[D]["answer"]> {
    const token = await this.token();
    try {
      return (await callDoor(this.#ports, name, sent, token)).value;
    } catch (error) {
      if (!(error instanceof EdgewiseError) || !OF_THE_TOKEN.has(error.code)) throw error;
      return (await callDoor(this.#ports, name, sent, await this.token(true))).value;
    }
  }

  /** Calls a door that is open to anybody. */
  enter<D extends DoorName>(name: D, sent: Sent): Promise<Answered<D>> {
    return callDoor(this.#ports, name, sent, null);
  }

  /** Whether the server still takes the access token: where it is not told why a socket was refused. */
  async isTaken(): Promise<boolean> {
    const tokens = this.#kept?.tokens;
    try {
      if (tokens) await callDoor(this.#ports, "me", {}, tokens.accessToken);
      return true;
    } catch (error) {
      return !(error instanceof EdgewiseError) || error.retryable;
    }
  }

  /** What counts is how long the token lives, not what either clock says. */
  #local({ accessToken, refreshToken, accessExpiresAt }: TokenPair, serverTime: number): NonNullable<Kept["tokens"]> {
    return { accessToken, refreshToken, expiresAt: this.#ports.now() + (accessExpiresAt - serverTime) };
  }

  async #keep(kept: Kept): Promise<void> {
    await this.#ports.store.write([{ key: KEY, value: kept }]);
    this.#take(kept);
  }

  #take(kept: Kept | null, because: "signed_out" | null = null): void {
    this.#kept = kept;
    const next = stateOf(kept, because);
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return;
    this.#state = next;
    this.#ports.onChange();
  }
}

function stateOf(kept: Kept | null, because: "signed_out" | null): SessionState {
  if (!kept) return { is: "signed_out", because, handle: null };
  const { userId, deviceId, handle, tokens, end = "revoked" } = kept;
  return tokens ? { is: "signed_in", userId, deviceId, handle } : { is: "signed_out", because: end, handle };
}
