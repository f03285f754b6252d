import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Session } from "../../src/protocol/http.ts";
import { bindings } from "../objects/support.ts";
import { ask as accounts, PASSWORD, signUp } from "./support/accounts.ts";
import { planOf } from "./support/erasure.ts";
import { ask } from "./support/worker.ts";

const ISSUER = "https://id.example.com";
const configured = { ISSUER, ISSUER_AUDIENCE: "edgewise", ISSUER_JWKS_URL: "https://id.example.com/keys" };
const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" }] };

beforeEach(() => void vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json(jwks)));
afterEach(() => void vi.restoreAllMocks());

/** `issuedAgoS`: null: the token does not say when it was issued. */
function tokenOf(sub: string, issuedAgoS: number | null = 0): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const token = new SignJWT({ iss: ISSUER, aud: "edgewise", sub, preferred_username: `of-${sub}` })
    .setExpirationTime("1h")
    .setProtectedHeader({ alg: "ES256", kid: "one" });
  return (issuedAgoS === null ? token : token.setIssuedAt(now - issuedAgoS)).sign(privateKey);
}
async function exchange(sub: string): Promise<Session> {
  const body = { token: await tokenOf(sub), device: { name: "phone" } };
  return Session.parse((await accounts("POST", "/v1/auth/exchange", { body, env: configured })).json);
}
const erase = async (who: Session, body: object) => ask(who, "DELETE", "/v1/me", body, configured);

test("[ER-1] who is vouched for shows a token that was issued just now, of the same person, and nothing else will do", async () => {
  const [ann, bob] = [await exchange("ann"), await exchange("bob")];
  const withPassword = await signUp();
  const refused = async (who: Session, body: object) => {
    expect(await erase(who, body)).toMatchObject({ status: 401, json: { code: "invalid_credentials" } });
    expect(await planOf(who.user.userId)).toBeUndefined();
  };
  await refused(ann, { token: await tokenOf("bob") });
  await refused(ann, { token: await tokenOf("nobody-yet") });
  await refused(ann, { token: await tokenOf("ann", 6 * 60) });
  await refused(ann, { token: await tokenOf("ann", null) });
  await refused(ann, { password: PASSWORD });
  await refused(withPassword, { token: await tokenOf("ann") });
  expect((await erase(ann, { token: await tokenOf("ann", 60) })).status).toBe(202);
  expect((await ask(bob, "GET", "/v1/me")).status).toBe(200);
});

test("[ER-3] who was vouched for and comes back is a new person, under another handle", async () => {
  const before = await exchange("carl");
  expect(before.user.handle).toBe("of-carl");
  expect((await erase(before, { token: await tokenOf("carl") })).status).toBe(202);
  const after = await exchange("carl");
  expect(after.user.userId).not.toBe(before.user.userId);
  expect(after.user.handle).toMatch(/^of-carl-[0-9a-z]{6}$/);
  const { results } = await bindings.DIRECTORY.prepare("SELECT user_id FROM identities WHERE subject = 'carl'").all();
  expect(results).toEqual([{ user_id: after.user.userId }]);
});
