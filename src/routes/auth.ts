import type { Hono } from "hono";
import { ulid } from "ulid";
import { nameWords } from "../domain/people.ts";
import { displayNameFrom, handleCandidates } from "../domain/session.ts";
import type { Env } from "../platform/env.ts";
import type { AppEnv, Visit } from "../platform/http.ts";
import { mount } from "../platform/http.ts";
import { type Vouched, verifyVouched } from "../platform/issuer.ts";
import { hashPassword, verifyPassword } from "../platform/passwords.ts";
import { attemptAllowed, limitAddress } from "../platform/rate-limit.ts";
import { endSession, newDevice, openSession, refreshSession, sessionOf } from "../platform/sessions.ts";
import { DOORS } from "../protocol/http.ts";
import { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import { accountByHandle, accountByIdentity, createAccount, createVouchedAccount } from "../storage/directory.ts";
import type { Account } from "../storage/directory-schema.ts";

/** The doors to a session. What they are sent is parsed by `mount`; past it, only what fits the contract gets. [AC-31] */
export function mountAuth(app: Hono<AppEnv>): void {
  mount(app, DOORS.signUp, signUp);
  mount(app, DOORS.signIn, signIn);
  mount(app, DOORS.exchange, exchange);
  mount(app, DOORS.refresh, async ({ env, body }) => {
    const pair = await refreshSession(env, body.refreshToken, Date.now());
    return pair.ok ? ok({ status: 200, body: pair.value }) : pair;
  });
  mount(app, DOORS.signOut, async ({ env, caller }) => {
    const ended = await endSession(env, caller.userId, caller.deviceId, Date.now());
    return ended.ok ? ok({ status: 204, body: null }) : ended;
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
  return ok({ status: 201 as const, body: await sessionOf(env, account, device, now) });
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
  return session.ok ? ok({ status: 200 as const, body: session.value }) : session;
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
  return session.ok ? ok({ status: found.made ? (201 as const) : (200 as const), body: session.value }) : session;
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
  const privacy = { lastSeen: open, readReceipts: open, conversations: open, findable: open };
  const words = JSON.stringify(nameWords(given.displayName));
  return { userId: UserId.parse(ulid(now)), ...given, ...privacy, createdAt: now, signedInAt: now, version: 0, words };
}
