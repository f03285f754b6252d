import type { Session, TokenPair } from "../src/protocol/http.ts";
import type { DeviceId, UserId } from "../src/protocol/ids.ts";
import { refuse } from "../src/protocol/result.ts";
import { isCount, isDeviceId, isFields, isUserId } from "./checks.ts";
import { type Call, type Called, call, type PageDoor } from "./doors.ts";
import { namesWith, readJson } from "./storage.ts";

/** A device of somebody that this browser is. `expiresAt`: epoch ms by this browser's own clock, however wrong that is. */
export type Account = { userId: UserId; deviceId: DeviceId; handle: string; tokens: TokenPair; expiresAt: number };

const PREFIX = "edgewise.account.";
/** Which account this tab shows: kept for the tab, so that two tabs can be two people. */
const TAB = "edgewise.tab";
/** A token is not used for the last minute of its life. Ms. */
const EARLY_MS = 60_000;

export const rememberTab = (deviceId: DeviceId | null): void =>
  deviceId === null ? sessionStorage.removeItem(TAB) : sessionStorage.setItem(TAB, deviceId);

/** The account this tab showed last, if it is still signed in. */
export const accountOfTab = (): Account | null => read(`${PREFIX}${sessionStorage.getItem(TAB)}`);

/** The account as it is stored by now: while this tab waited for it, another one may have renewed its tokens. */
export const newestOf = (account: Account): Account => read(PREFIX + account.deviceId) ?? account;

/** All that are signed in in this browser. */
export const knownAccounts = (): Account[] => namesWith(PREFIX).flatMap((name) => read(name) ?? []);

function read(name: string): Account | null {
  const value = readJson(name);
  if (!isFields(value) || !isUserId(value.userId) || !isDeviceId(value.deviceId)) return null;
  const { userId, deviceId, handle, tokens, expiresAt } = value;
  if (typeof handle !== "string" || typeof expiresAt !== "number" || !isTokens(tokens)) return null;
  return { userId, deviceId, handle, tokens, expiresAt };
}

const isTokens = (value: unknown): value is TokenPair =>
  isFields(value) &&
  typeof value.accessToken === "string" &&
  typeof value.refreshToken === "string" &&
  isCount(value.accessExpiresAt);

const save = (account: Account): void => localStorage.setItem(PREFIX + account.deviceId, JSON.stringify(account));
export const forgetAccount = ({ deviceId }: Account): void => localStorage.removeItem(PREFIX + deviceId);

/** `serverTime`: when the server answered, by its clock. What counts is how long the token lives, not what either clock says. */
export function keepSession({ user, device, ...tokens }: Session, serverTime: number): Account {
  const { userId, handle } = user;
  const account = { userId, deviceId: device.deviceId, handle, tokens, expiresAt: localExpiry(tokens, serverTime) };
  save(account);
  return account;
}

const localExpiry = ({ accessExpiresAt }: TokenPair, serverTime: number): number =>
  Date.now() + (accessExpiresAt - serverTime);

/** Hands out access tokens that are good for a while yet. */
export class Tokens {
  #account: Account;
  #refreshing: Promise<string | "signed_out" | null> | null = null;

  constructor(account: Account) {
    this.#account = account;
  }

  /** [CL-23] An access token; null when none can be had just now; `signed_out` when this device's refresh token is good no more. */
  async fresh(force = false): Promise<string | "signed_out" | null> {
    const { tokens, expiresAt } = this.#account;
    if (!force && expiresAt - Date.now() > EARLY_MS) return tokens.accessToken;
    // One at a time: a refresh token works once, and the second use would sign the device out.
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** Calls a door as this device; without a token it does not answer. */
  async call<D extends PageDoor>(name: D, sent: Omit<Call, "token"> = {}): Promise<Called<D>> {
    const token = await this.fresh();
    if (token && token !== "signed_out") return call(name, { ...sent, token });
    return { ...refuse("unavailable", "There is no token just now"), serverTime: Date.now() };
  }

  /** Whether the server still takes the access token; null: it did not say. For a browser, which is not told why a socket was refused. */
  async isTaken(): Promise<boolean | null> {
    const answer = await call("me", { token: this.#account.tokens.accessToken });
    if (answer.ok) return true;
    return answer.code === "unavailable" || answer.code === "internal" || answer.code === "rate_limited" ? null : false;
  }

  async #refresh(): Promise<string | "signed_out" | null> {
    const answer = await call("refresh", { body: { refreshToken: this.#account.tokens.refreshToken } });
    if (!answer.ok) return isOver(answer.code) ? "signed_out" : null;
    const tokens = answer.value;
    this.#account = { ...this.#account, tokens, expiresAt: localExpiry(tokens, answer.serverTime) };
    save(this.#account);
    return tokens.accessToken;
  }
}

const isOver = (code: string): boolean =>
  ["refresh_reused", "device_revoked", "token_expired", "unauthenticated"].includes(code);
