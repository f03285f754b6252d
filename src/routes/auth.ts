import type { Context, Hono } from "hono";
import { ulid } from "ulid";
import { nameWords } from "../domain/people.ts";
import { displayNameFrom, handleCandidates } from "../domain/session.ts";
import type { Env } from "../platform/env.ts";
import type { AppEnv, Visit } from "../platform/http.ts";
import { mount } from "../platform/http.ts";
import { type Vouched, verifyVouched } from "../platform/issuer.ts";
import { hashPassword, verifyPassword } from "../platform/passwords.ts";
import { problem } from "../platform/problem.ts";
import { attemptAllowed, limitAddress } from "../platform/rate-limit.ts";
import { handOver, type Place, refreshTokenIn, takeBack } from "../platform/refresh-cookie.ts";
import { endSession, newDevice, openSession, refreshSession, sessionOf } from "../platform/sessions.ts";
import { ERRORS, type ErrorCode } from "../protocol/errors.ts";
import { DOORS, type Session, type TokenPair } from "../protocol/http.ts";
import { type DeviceId, UserId } from "../protocol/ids.ts";
import { ok, type Refusal, refuse } from "../protocol/result.ts";
import { accountByHandle, accountByIdentity, createAccount, createVouchedAccount } from "../storage/directory.ts";
import type { Account } from "../storage/directory-schema.ts";

/** The doors to a session. What they are sent is parsed by `mount`; past it, only what fits the contract gets. [AC-31] */
export function mountAuth(app: Hono<AppEnv>): void {
  mount(app, DOORS.signUp, signUp);
  mount(app, DOORS.signIn, signIn);
  mount(app, DOORS.exchange, exchange);
  mount(app, DOORS.refresh, refresh);
  mount(app, DOORS.signOut, async ({ c, env, caller }) => {
    const ended = await endSession(env, caller.userId, caller.deviceId, Date.now());
    return ended.ok ? ok({ status: 204, body: null, ...takeBack(c, caller.deviceId) }) : ended;
  });
}

async function signUp({ c, env, body }: Visit<typeof DOORS.signUp>) {
  const limited = await limitAddress(env, c.req.raw);
  if (!limited.ok) return limited;
  const now = Date.now();
  const { handle, displayName } = body;
  const account = newAccount({ handle, displayName, passwordHash: await hashPassword(body.password) }, now);
  const device = newDevice(account.userId, body.device.name, now);
  if (!(await createAccount(env.DIRECTORY, account, device))) return refuse("handle_taken");
  const session = await sessionOf(env, account, device, now);
  return ok({ status: 201 as const, ...handed(c, session, body.refreshTokenIn) });
}

/** Wrong password, no such handle, no password at all, too many attempts: the same work and the same answer. */
async function signIn({ c, env, body }: Visit<typeof DOORS.signIn>) {
  const limited = await limitAddress(env, c.req.raw);
  if (!limited.ok) return limited;
  const account = await accountByHandle(env.DIRECTORY, body.handle);
  const allowed = await attemptAllowed(env, body.handle, account?.signedInAt);
  const right = await verifyPassword(body.password, account?.passwordHash);
  if (!account || !right || !allowed) return refuse("invalid_credentials"); // [AC-15]
  const session = await openSession(env, account, body.device, Date.now());
  return session.ok ? ok({ status: 200 as const, ...handed(c, session.value, body.refreshTokenIn) }) : session;
}

async function exchange({ c, env, body }: Visit<typeof DOORS.exchange>) {
  const limited = await limitAddress(env, c.req.raw);
  if (!limited.ok) return limited;
  const now = Date.now();
  const vouched = await verifyVouched(env, body.token, now);
  if (!vouched.ok) return vouched;
  const known = await accountByIdentity(env.DIRECTORY, vouched.value.issuer, vouched.value.subject);
  const found = known ? { account: known, made: false } : await vouchedAccount(env, vouched.value, now);
  if (!found) return refuse("unavailable");
  const session = await openSession(env, found.account, body.device, now);
  if (!session.ok) return session;
  return ok({ status: found.made ? (201 as const) : (200 as const), ...handed(c, session.value, body.refreshTokenIn) });
}

const handed = (c: Context<AppEnv>, answer: Session, place: Place) =>
  handOver(c, answer.device.deviceId, { place, answer });

/** A token out of the cookie goes back into it. */
async function refresh({ c, env, body }: Visit<typeof DOORS.refresh>) {
  const inCookie = "deviceId" in body;
  const token = inCookie ? refreshTokenIn(c, body.deviceId) : body.refreshToken;
  if (token === undefined) return refuse("unauthenticated");
  const renewed = await refreshSession(env, { token, key: body.idempotencyKey }, Date.now());
  if (!renewed.ok) return inCookie ? refusedCookie(c, body.deviceId, renewed) : renewed;
  const { deviceId, tokens } = renewed.value;
  const place = inCookie ? "cookie" : body.refreshTokenIn;
  return ok({ status: 200 as const, ...handOver(c, deviceId, { place, answer: tokens as TokenPair }) });
}

/** A token that will never be taken again need not stay in the browser. */
function refusedCookie(c: Context<AppEnv>, deviceId: DeviceId, refusal: Refusal<ErrorCode>): Response {
  const refused = problem(refusal);
  const { headers } = takeBack(c, deviceId);
  if (headers && !ERRORS[refusal.code].retryable) refused.headers.append("set-cookie", headers["set-cookie"]);
  return refused;
}

/** Makes the user, under the first handle that is free; another exchange may have made it this moment. */
async function vouchedAccount(
  env: Env,
  { issuer, subject, handle: preferred, name }: Vouched,
  now: number,
): Promise<{ account: Account; made: boolean } | undefined> {
  const suffixes = [1, 2, 3].map(() => ulid(now).slice(-6));
  for (const handle of handleCandidates(preferred, suffixes)) {
    const account = newAccount({ handle, displayName: displayNameFrom(name, handle), passwordHash: null }, now);
    const identity = { issuer, subject, userId: account.userId };
    if (await createVouchedAccount(env.DIRECTORY, account, identity)) return { account, made: true };
    const other = await accountByIdentity(env.DIRECTORY, issuer, subject); // [AC-21]
    if (other) return { account: other, made: false };
  }
  return undefined;
}

type Given = Pick<Account, "handle" | "displayName" | "passwordHash">;
function newAccount(given: Given, now: number): Account {
  const open = "everyone" as const;
  const privacy = { lastSeen: open, readReceipts: open, conversations: open, findable: open, picture: open };
  const words = JSON.stringify(nameWords(given.displayName));
  const made = { createdAt: now, signedInAt: now, version: 0, avatarMediaId: null };
  return { userId: UserId.parse(ulid(now)), ...given, ...privacy, ...made, words };
}
