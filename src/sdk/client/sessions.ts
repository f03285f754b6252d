import { risingUlids } from "../ulid.ts";
import type { Fetch, SessionState } from "./api.ts";
import { type Answered, callDoor, type Sent } from "./doors.ts";
import { EdgewiseError } from "./errors.ts";
import type { Store } from "./storage.ts";
import type { DoorName, Doors, ErrorCode, IdempotencyKey, Session, TokenPair } from "./wire.ts";

/** What a signed-in device's end comes of. */
export type Because = Extract<SessionState, { is: "signed_out" }>["because"];

/** A token is not used for the last minute of its life. Ms. */
const EARLY_MS = 60_000;
const KEY = "session";
/** [CL-71] Where the page is of the same origin as the server; else it is answered, and lies in the store. */
const IN_COOKIE = { refreshTokenIn: "cookie" } as const;
/** How often a device that is wanted no more asks why, and the time between. Ms. */
const WHY_TRIES = 3;
const WHY_PAUSE_MS = 500;
/** Longer than this it is not waited for, for what is on the device has to go. Ms. */
const WHY_WITHIN_MS = 3_000;

/**
 * How a session ended that its person did not end here. Expired: its tokens ran out, and the device may come back as it was. Erased: the
 * store is still to be cleared.
 */
type End = "revoked" | "expired" | "erased";
/**
 * `refreshToken` null: the browser has it, in a cookie that no script reads. `expiresAt`: epoch ms by this device's own clock, however wrong
 * that is. `renewal`: the key under which they are being renewed.
 */
type Tokens = {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly expiresAt: number;
  readonly renewal?: IdempotencyKey;
};
/** What is stored of a session. `tokens` null: it has ended. */
type Kept = {
  readonly end?: End;
  readonly userId: string;
  readonly deviceId: string;
  readonly handle: string;
  readonly tokens: Tokens | null;
};

/** One at a time, over all tabs that hold the same store. */
export type Exclusive = <T>(act: () => Promise<T>) => Promise<T>;
type Ports = {
  readonly url: string;
  readonly fetch: Fetch;
  readonly store: Store;
  readonly exclusive: Exclusive;
  readonly now: () => number;
  readonly after: (ms: number, act: () => void) => unknown;
  readonly onChange: () => void;
};

/** The token is only old. */
const RUN_OUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["token_expired", "unauthenticated"]);
/** The access token, and not the wish, is what is wrong. */
const OF_THE_TOKEN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([...RUN_OUT, "device_revoked"]);
/** Told of a refresh token: the server will never take these tokens again. */
const OVER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([...OF_THE_TOKEN, "refresh_reused"]);

/** Who this device is, and the tokens that show it. */
export class Sessions {
  readonly #ports: Ports;
  #kept: Kept | null = null;
  #refreshing: Promise<string> | null = null;
  #ending: Promise<void> | null = null;
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

  /** [CL-56] The store is still to be cleared. */
  get wasErased(): boolean {
    return this.#kept?.end === "erased";
  }

  /** [CL-57] Whether another device or the server signed this one out: then nothing stays here but what was written. */
  get isRevoked(): boolean {
    return this.#state.is === "signed_out" && this.#state.because === "revoked";
  }

  /** What the store says by now: another tab may have changed it. `because`: why it is empty, where that was told. */
  async load(because?: Because): Promise<void> {
    const [[, kept] = []] = await this.#ports.store.read(KEY);
    this.#take((kept as Kept | undefined) ?? null, because);
  }

  async begin({ user, device, ...tokens }: Session, serverTime: number): Promise<void> {
    const { userId, handle } = user;
    await this.#keep({ userId, handle, deviceId: device.deviceId, tokens: this.#local(tokens, serverTime) });
  }

  /** [CL-44] The server wants this device no more. What the person wrote stays where it is, unless they were erased. */
  end(end: "revoked" | "expired"): Promise<void> {
    if (end === "expired") return this.#over(end);
    this.#ending ??= this.#ports
      .exclusive(() => this.#end())
      .finally(() => {
        this.#ending = null;
      });
    return this.#ending;
  }

  async #end(): Promise<void> {
    await this.load();
    await Promise.race([this.#askWhy(), this.#pause(WHY_WITHIN_MS)]);
    await this.#over("revoked"); // unless it was told otherwise
  }

  /**
   * [CL-56] A socket does not say why it is wanted no more; the refresh token is told. It may still be taken for a moment, and then nobody
   * uses what it is traded for.
   */
  async #askWhy(): Promise<void> {
    for (let tries = 1; this.#kept?.tokens && tries <= WHY_TRIES; tries++) {
      await this.#refresh(this.#kept.tokens.accessToken).catch(() => {}); // it ends the session where it is told so
      if (this.#kept?.tokens && tries < WHY_TRIES) await this.#pause(WHY_PAUSE_MS * tries);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((go) => void this.#ports.after(ms, go));
  }

  async #over(end: End): Promise<void> {
    if (this.#kept?.tokens) await this.#keep({ ...this.#kept, tokens: null, end });
  }

  /** The store was cleared. */
  forget(because: "signed_out" | "erased"): void {
    this.#take(null, because);
  }

  /** [CL-42] An access token that is good for a while yet. `force`: also when the one we have looks good. */
  async token(force = false): Promise<string> {
    const tokens = this.#kept?.tokens;
    if (!tokens) throw new EdgewiseError("unauthenticated", { detail: "nobody is signed in here" });
    if (!force && tokens.expiresAt - this.#ports.now() > EARLY_MS) return tokens.accessToken;
    this.#refreshing ??= this.#ports
      .exclusive(() => this.#refresh(tokens.accessToken))
      .finally(() => {
        this.#refreshing = null;
      });
    return this.#refreshing;
  }

  /**
   * [CL-42] A refresh token works once, and its second use would sign the device out: what another tab got meanwhile is used. `used`: the access
   * token that is wanted no more.
   */
  async #refresh(used: string): Promise<string> {
    await this.load();
    if (!this.#kept?.tokens) throw new EdgewiseError("device_revoked", { detail: "the session has ended" });
    if (this.#kept.tokens.accessToken !== used) return this.#kept.tokens.accessToken;
    const body = await this.#renewal(this.#kept, this.#kept.tokens);
    try {
      const { value, serverTime } = await callDoor(this.#ports, "refresh", { body }, null);
      if (!this.#kept.tokens) throw new EdgewiseError("device_revoked", { detail: "the session has ended" }); // meanwhile
      await this.#keep({ ...this.#kept, tokens: this.#local(value, serverTime) });
      return value.accessToken;
    } catch (error) {
      if (error instanceof EdgewiseError && OVER.has(error.code))
        await this.#over(error.erased ? "erased" : RUN_OUT.has(error.code) ? "expired" : "revoked");
      throw error;
    }
  }

  /** [CL-70] Its key is on the disk before it leaves: a renewal whose answer is lost, also to a crash, is asked for again as the same one. */
  async #renewal(
    kept: Kept,
    { renewal = risingUlids()(this.#ports.now()) as IdempotencyKey, ...tokens }: Tokens,
  ): Promise<Doors["refresh"]["body"]> {
    await this.#keep({ ...kept, tokens: { ...tokens, renewal } });
    const { refreshToken } = tokens;
    if (refreshToken === null) return { deviceId: kept.deviceId, idempotencyKey: renewal };
    return { refreshToken, ...IN_COOKIE, idempotencyKey: renewal };
  }

  /** Calls a door as this device; a token that is not taken is renewed, once. */
  async call<D extends DoorName>(name: D, sent: Sent): Promise<Doors[D]["answer"]> {
    return (await this.withToken((token) => callDoor(this.#ports, name, sent, token))).value;
  }

  /** [CL-42] Acts as this device; where its token is not taken, once more with a new one. */
  async withToken<T>(act: (token: string) => Promise<T>): Promise<T> {
    const token = await this.token();
    try {
      return await act(token);
    } catch (error) {
      if (!(error instanceof EdgewiseError) || !OF_THE_TOKEN.has(error.code)) throw error;
      return act(await this.token(true));
    }
  }

  /** [CL-71] Calls a door that leads to a session. */
  enter<D extends DoorName>(name: D, body: object): Promise<Answered<D>> {
    return callDoor(this.#ports, name, { body: { ...body, ...IN_COOKIE } }, null);
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
  #local({ accessToken, refreshToken, accessExpiresAt }: TokenPair, serverTime: number): Tokens {
    return {
      accessToken,
      refreshToken: refreshToken ?? null,
      expiresAt: this.#ports.now() + (accessExpiresAt - serverTime),
    };
  }

  async #keep(kept: Kept): Promise<void> {
    await this.#ports.store.write([{ key: KEY, value: kept }]);
    this.#take(kept);
  }

  /** What was told of an end holds until somebody signs in. */
  #take(
    kept: Kept | null,
    because: Because = this.#kept || this.#state.is === "signed_in" ? null : this.#state.because,
  ): void {
    this.#kept = kept;
    const next = stateOf(kept, because);
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return;
    this.#state = next;
    this.#ports.onChange();
  }
}

function stateOf(kept: Kept | null, because: Because): SessionState {
  if (!kept) return { is: "signed_out", because, handle: null };
  const { userId, deviceId, handle, tokens, end = "revoked" } = kept;
  return tokens ? { is: "signed_in", userId, deviceId, handle } : { is: "signed_out", because: end, handle };
}
