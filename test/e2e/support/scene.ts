import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { base64url, SignJWT } from "jose";
import { type Device, signIn, signUp } from "./client.ts";
import { must } from "./door.ts";
import { canonical } from "./log.ts";
import type { Server } from "./server.ts";

/** Everybody a server must be able to turn away, and what they would like to get at. */
export type Scene = {
  alice: Device;
  bob: Device;
  /** Was a member of the group. */
  carol: Device;
  /** Never was a member of anything. */
  mallory: Device;
  /** Alice's other device, which she has revoked. */
  lost: Device;
  direct: string;
  group: string;
  /** Tokens that open nothing, by what is wrong with them. */
  badTokens: Record<string, string>;
  /** What must not change: conversations, members, logs, devices, profile. */
  state: () => Promise<string>;
};

export async function setScene({ url, dataDir }: Server): Promise<Scene> {
  const [alice, bob, carol, mallory] = [
    await signUp(url, "alice"),
    await signUp(url, "bob"),
    await signUp(url, "carol"),
    await signUp(url, "mallory"),
  ];
  const lost = await signIn(url, "alice", "lost");
  const opened = await must(url, "openDirect", { params: { userId: bob.userId }, token: alice.token });
  const body = { title: "three", memberIds: [bob.userId, carol.userId] };
  const made = await must(url, "createGroup", { body, token: alice.token });
  const [direct, group] = [opened.conversation.conversationId, made.conversation.conversationId];
  for (const place of [direct, group]) await alice.outbox.addByHttp(place, "nobody else's business");
  await must(url, "removeMember", { params: { id: group, userId: carol.userId }, token: alice.token });
  await must(url, "revokeDevice", { params: { deviceId: lost.deviceId }, token: alice.token });
  const badTokens = await forge(dataDir, alice);
  return {
    alice,
    bob,
    carol,
    mallory,
    lost,
    direct,
    group,
    badTokens,
    state: () => stateOf(url, alice, [direct, group]),
  };
}

async function stateOf(url: string, { token }: Device, places: string[]): Promise<string> {
  const found = await Promise.all(
    places.map(async (id) => [
      await must(url, "conversation", { params: { id }, token }),
      await must(url, "history", { params: { id }, query: { limit: 200 }, token }),
    ]),
  );
  const me = [await must(url, "me", { token }), await must(url, "devices", { token })];
  return canonical([found, me]);
}

/** Tokens as an attacker or an old client might hold them; the server's own key signs what only time or kind makes wrong. */
async function forge(dataDir: string, alice: Device): Promise<Record<string, string>> {
  const { TOKEN_KEYS = "" } = parseEnv(readFileSync(join(dataDir, "secrets.env"), "utf8"));
  const key = base64url.decode(TOKEN_KEYS.split(",")[0] ?? "");
  const sign = (typ: string, expires: string, by: Uint8Array, sub = alice.userId) =>
    new SignJWT({ device: alice.deviceId })
      .setProtectedHeader({ alg: "HS256", typ })
      .setSubject(sub)
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(by);
  const [, claims = "", signature = ""] = alice.token.split(".");
  const none = base64url.encode(JSON.stringify({ alg: "none", typ: "at+jwt" }));
  return {
    expired: await sign("at+jwt", "1 minute ago", key),
    ofAnotherKind: await sign("JWT", "1h", key),
    ofAnotherKey: await sign("at+jwt", "1h", new Uint8Array(32).fill(7)),
    ofNobody: await sign("at+jwt", "1h", key, "nobody"),
    refresh: String(alice.session.refreshToken),
    unsigned: `${none}.${claims}.`,
    changed: `${alice.token.slice(0, alice.token.length - signature.length)}${signature.split("").reverse().join("")}`,
    short: "x",
    long: "x".repeat(6_000),
  };
}
