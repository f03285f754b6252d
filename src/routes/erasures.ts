import type { Hono } from "hono";
import { beginErasure } from "../platform/erasures.ts";
import { type AppEnv, mount, type Visit } from "../platform/http.ts";
import { verifyVouched } from "../platform/issuer.ts";
import { verifyPassword } from "../platform/passwords.ts";
import { attemptAllowed, limitAddress } from "../platform/rate-limit.ts";
import { takeBack } from "../platform/refresh-cookie.ts";
import { DOORS } from "../protocol/http.ts";
import { ok, refuse } from "../protocol/result.ts";
import { accountById, accountByIdentity } from "../storage/directory.ts";
import type { Account } from "../storage/directory-schema.ts";
import { erasureOf, openErasures } from "../storage/erasures.ts";

/** How long ago the outside issuer may have issued the token that proves who asks. Seconds. */
const FRESH_S = 5 * 60;
/** Records of one page. */
const PAGE = 100;

/** Ways to be erased, and to see how far it is. The person's inbox carries it out. */
export function mountErasures(app: Hono<AppEnv>): void {
  mount(app, DOORS.eraseMe, eraseMe);
  // [ER-14]
  mount(app, DOORS.eraseUser, async ({ env, params }) => {
    const begun = await beginErasure(env, params.userId, "operator", Date.now());
    return begun.ok ? ok({ status: 202, body: begun.value }) : begun;
  });
  mount(app, DOORS.erasure, async ({ env, params }) => {
    const erasure = await erasureOf(env.DIRECTORY, params.userId);
    return erasure ? ok({ status: 200, body: erasure }) : refuse("not_found");
  });
  mount(app, DOORS.erasures, async ({ env, query }) => {
    const erasures = await openErasures(env.DIRECTORY, query.cursor ?? "", PAGE);
    const last = erasures.length === PAGE ? erasures.at(-1) : undefined;
    return ok({ status: 200, body: { erasures, ...(last ? { cursor: last.userId } : {}) } });
  });
}

type Asked = Visit<typeof DOORS.eraseMe>;

/** [ER-1] Who holds a device is not thereby its person: they say once more who they are, and guesses count as at sign-in. */
async function eraseMe({ c, env, caller, body }: Asked) {
  const limited = await limitAddress(env, c.req.raw);
  if (!limited.ok) return limited;
  const account = await accountById(env.DIRECTORY, caller.userId);
  if (!account) return refuse("unauthenticated");
  const proven =
    body.token === undefined
      ? await knowsPassword(env, account, body.password)
      : await isVouchedFor(env, account, body.token);
  if (!proven) return refuse("invalid_credentials");
  const begun = await beginErasure(env, caller.userId, "user", Date.now());
  return begun.ok ? ok({ status: 202 as const, body: begun.value, ...takeBack(c, caller.deviceId) }) : begun;
}

async function knowsPassword(env: Asked["env"], account: Account, password = ""): Promise<boolean> {
  const allowed = await attemptAllowed(env, account.handle, account.signedInAt);
  return (await verifyPassword(password, account.passwordHash)) && allowed;
}

/** A token that was stolen with the device is too old. */
async function isVouchedFor(env: Asked["env"], { userId }: Account, token: string): Promise<boolean> {
  const vouched = await verifyVouched(env, token, Date.now(), FRESH_S);
  if (!vouched.ok) return false;
  const { issuer, subject } = vouched.value;
  return (await accountByIdentity(env.DIRECTORY, issuer, subject))?.userId === userId;
}
