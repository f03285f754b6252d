import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { textOf } from "../../src/domain/life.ts";
import { DOORS, type Door, type DoorName } from "../../src/protocol/http.ts";
import { canonical } from "./support/log.ts";
import { bodyOf } from "./support/outbox.ts";
import { PATIENCE_MS } from "./support/patience.ts";
import { type Answer, judge, leakIn, type Probe, probe } from "./support/probe.ts";
import { type Scene, setScene } from "./support/scene.ts";
import { bugsIn, type Server, startServer } from "./support/server.ts";
import { shippedCounts } from "./support/shipped.ts";
import { bent, strangeValue } from "./support/strange.ts";

const ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const RUNS = Number(process.env.FUZZ_RUNS ?? 250);
const NAMES = Object.keys(DOORS) as DoorName[];

let server: Server;
let scene: Scene;
let before: string;
beforeAll(async () => {
  server = await startServer();
  scene = await setScene(server);
  before = await scene.state();
});
afterAll(() => server?.remove());

/** [IN-6] After each of these tests nothing has changed, and the server has noted no bug. */
afterEach(async () => {
  expect(await scene.state()).toBe(before);
  expect(bugsIn(server.output)).toEqual([]);
});

/** A request that the door would serve, were it the right person who asks. */
function fitting(name: DoorName): { params: Record<string, string>; query: Record<string, string>; body?: object } {
  const { bob, alice, direct, group, lost } = scene;
  const device = { name: "x" };
  const bodies: { [N in DoorName]?: object } = {
    signUp: { handle: "eve", password: "12345678", displayName: "Eve", device },
    signIn: { handle: "alice", password: "wrong", device },
    exchange: { token: "x", device },
    refresh: { refreshToken: "x" },
    eraseMe: { password: "a wrong password" },
    changeMe: { displayName: "Changed", privacy: { lastSeen: "nobody" } },
    createGroup: { title: "x", memberIds: [bob.userId] },
    createInvite: { maxUses: 1 },
    changeConversation: { title: "changed" },
    changeMine: { archived: false },
    subscribePush: { fcmToken: "x" },
    putMember: { role: "admin" },
    send: bodyOf({ key: ULID, composedAt: Date.now(), text: "let me in" }, Date.now()),
    newMedia: { conversationId: direct, contentType: "image/png", bytes: 3, sha256: "0".repeat(64) },
    tellParts: { parts: [{ part: 1, etag: "x" }] },
    rebuildHistory: { startedAt: 1 },
    report: { idempotencyKey: ULID, conversationId: direct, seqs: [1], reason: "spam" },
    changeReport: { state: "resolved" },
  };
  const MEMBER_DOORS = ["changeConversation", "putMember", "removeMember"];
  const ENTRY_DOORS = ["createInvite", "invites", "revokeInvite", "joinRequests", "acceptRequest", "dropRequest"];
  const GROUP_DOORS = [...MEMBER_DOORS, ...ENTRY_DOORS];
  const id = GROUP_DOORS.includes(name) ? group : direct;
  const query: Record<string, string> =
    { findUser: { handle: "bob" }, findPeople: { q: "bob" }, history: { limit: "5" }, search: { q: "hello" } }[
      name as string
    ] ?? {};
  const userId = name === "openDirect" ? alice.userId : bob.userId;
  const body = bodies[name];
  return {
    params: {
      id,
      userId,
      deviceId: lost.deviceId,
      mediaId: ULID,
      reportId: ULID,
      seq: "1",
      code: `${ULID}${"A".repeat(22)}`,
    },
    query,
    ...(body ? { body } : {}),
  };
}

function requestOf(name: DoorName, { params, query, body }: { params: object; query: object; body?: unknown }): Probe {
  const { method, path }: Door = DOORS[name];
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, key) => encode(Reflect.get(params, key)));
  const search = Object.entries(query).map(([key, value]) => `${encode(key)}=${encode(value)}`);
  const json =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return { method: method.toUpperCase(), path: search.length > 0 ? `${filled}?${search.join("&")}` : filled, ...json };
}

const encode = (value: unknown): string => {
  const text = value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);
  return encodeURIComponent(text.toWellFormed().slice(0, 4_000));
};
const ask = (sent: Probe, token?: string): Promise<Answer> =>
  probe(server.port, token === undefined ? sent : { ...sent, token });
const refusal = (answer: Answer) => {
  const verdict = judge(answer);
  if ("wrong" in verdict) throw new Error(verdict.wrong);
  return verdict.code;
};

test("[IN-8] no door opens without a token, or with one that is expired, forged, of another kind, or of a signed-out device", async () => {
  for (const name of NAMES.filter((door) => DOORS[door].access === "device")) {
    const sent = requestOf(name, fitting(name));
    expect(refusal(await ask(sent)), name).toBe("unauthenticated");
    for (const [what, token] of Object.entries(scene.badTokens)) {
      const expected = what === "expired" ? "token_expired" : "unauthenticated";
      expect(refusal(await ask(sent, token)), `${name} ${what}`).toBe(expected);
    }
    expect(refusal(await ask(sent, scene.lost.token)), name).toBe("device_revoked");
  }
});

test("[IN-8] the operator's doors open to the operator alone", async () => {
  for (const name of NAMES.filter((door) => DOORS[door].access === "operator"))
    for (const token of [undefined, scene.alice.token, ...Object.values(scene.badTokens)])
      expect(refusal(await ask(requestOf(name, fitting(name)), token)), name).toBe("unauthenticated");
});

const OF_A_CONVERSATION = NAMES.filter((name) => DOORS[name].path.startsWith("/v1/conversations/{id}"));

test("[IN-3] a stranger is told of every conversation that there is none", async () => {
  for (const name of OF_A_CONVERSATION)
    expect(refusal(await ask(requestOf(name, fitting(name)), scene.mallory.token)), name).toBe("not_found");
});

/** What one sets for oneself alone is anybody's who ever was in. */
const MINE: readonly DoorName[] = ["changeMine", "clearConversation", "deleteEvent", "star", "unstar"];

test("[IN-3] a removed member sees what was, up to the removal, and changes nothing", async () => {
  const { carol, group } = scene;
  for (const name of OF_A_CONVERSATION.filter((one) => !MINE.includes(one))) {
    const wanted = fitting(name);
    const answer = await ask(requestOf(name, { ...wanted, params: { ...wanted.params, id: group } }), carol.token);
    if (DOORS[name].method !== "get") expect(refusal(answer), name).toBe("not_member");
    else if (answer.status !== 200) expect(["not_found", "not_member"], name).toContain(refusal(answer));
    else if (name === "history")
      expect(JSON.parse(answer.text).events[0]).toMatchObject({ change: "removed", userId: carol.userId });
  }
});

/** Signing up and in, and proving who one is, cost 55 ms of CPU a try, so they are bent less often; signing out has nothing to bend, and would end the test. */
const COSTLY: readonly DoorName[] = ["signUp", "signIn", "eraseMe"];
const anyDoor = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...NAMES.filter((name) => name !== "signOut" && !COSTLY.includes(name))) },
  { weight: 1, arbitrary: fc.constantFrom(...COSTLY) },
);
const bend = (fits: object): fc.Arbitrary<object> => fc.oneof(fc.constant(fits), bent(fc.constant(fits)));

test("[IN-9] requests outside the schema are refused with a code, whoever asks", async () => {
  const anyRequest = anyDoor.chain((name) => {
    const { params, query, body } = fitting(name);
    const bodies =
      body === undefined ? fc.option(strangeValue, { nil: undefined }) : fc.oneof(bend(body), strangeValue);
    return fc.record({ name: fc.constant(name), params: bend(params), query: bend(query), body: bodies });
  });
  const { mallory, carol } = scene;
  const asking = fc.constantFrom(undefined, mallory.token, carol.token);
  await fc.assert(
    fc.asyncProperty(anyRequest, asking, async ({ name, ...wanted }, token) => {
      const answer = await ask(requestOf(name, wanted), token);
      if (answer.status < 400) expect(Object.keys(DOORS[name].answers)).toContain(String(answer.status));
      else refusal(answer);
    }),
    { numRuns: RUNS * 2 },
  );
});

test("[IN-9] what is asked for by a member is refused all the same when it does not fit, and changes nothing", async () => {
  const { alice, direct } = scene;
  const bodies = bent(fc.constantFrom<object>(fitting("send").body ?? {}));
  const fits = DOORS.send.body;
  await fc.assert(
    fc.asyncProperty(
      bodies.filter((body) => !fits.safeParse(JSON.parse(JSON.stringify(body))).success),
      async (body) => {
        const code = refusal(await ask(requestOf("send", { params: { id: direct }, query: {}, body }), alice.token));
        expect(["invalid_request", "payload_too_large"]).toContain(code);
      },
    ),
    { numRuns: RUNS },
  );
});

test("[IN-10] bodies that are no JSON, too large, binary or cut are refused with a code", async () => {
  const { alice, direct } = scene;
  const path = `/v1/conversations/${direct}/events`;
  const large = Buffer.alloc(200 * 1024, "x");
  const post = (body: Buffer | string, headers: Record<string, string> = {}) =>
    ask({ method: "POST", path, body, headers: { "content-type": "application/json", ...headers } }, alice.token);
  expect(refusal(await post(large))).toBe("payload_too_large");
  expect(refusal(await post(large, { "transfer-encoding": "chunked" }))).toBe("payload_too_large");
  expect(refusal(await post("", {}))).toBe("invalid_request");
  expect(refusal(await post("[".repeat(100_000)))).toBe("invalid_request");
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
      expect(refusal(await post(Buffer.from(bytes)))).toBe("invalid_request");
    }),
    { numRuns: RUNS / 5 },
  );
});

test("[IN-11] paths and methods nobody knows are answered with a code", async () => {
  const methods = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND");
  const piece = fc.oneof(
    fc.constantFrom(
      "v1",
      "conversations",
      "direct",
      "users",
      "me",
      "events",
      "..",
      ".",
      "%00",
      "%ff",
      "%2e%2e",
      "%2F",
      "a;b",
      "",
    ),
    fc.string({ maxLength: 20 }).map((text) => encodeURIComponent(text.toWellFormed())),
  );
  const path = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => `/v1/${pieces.join("/")}`);
  await fc.assert(
    fc.asyncProperty(methods, path, async (method, path) => {
      const answer = await ask({ method, path }, scene.mallory.token);
      expect(leakIn(answer.text)).toBeNull();
      expect(answer.status).toBeLessThan(500);
      const { pathname } = new URL(path, "http://localhost"); // `..` may lead out of the API, to the static files
      if (answer.status >= 400 && method !== "HEAD" && pathname.startsWith("/v1/")) refusal(answer);
    }),
    { numRuns: RUNS },
  );
});

test("[IN-12] any text that fits comes back as it was sent, by every way", async () => {
  const { mallory, carol } = scene;
  const opened = await ask(requestOf("openDirect", { params: { userId: carol.userId }, query: {} }), mallory.token);
  const id: string = JSON.parse(opened.text).conversation.conversationId;
  await mallory.connect();
  await carol.connect();
  const texts = fc
    .sample(fc.string({ unit: "binary", minLength: 1, maxLength: 200 }), 60)
    .concat([
      ...[
        "\0",
        "a\0b",
        "\ud800",
        "\udc00\ud800",
        "\ufeff",
        "\u2028",
        '"\\',
        "'; --",
        "​",
        "𝔘".repeat(8_192),
        "\u0001".repeat(16_384),
      ],
    ]);
  for (const [i, text] of texts.entries())
    await (i % 2 ? mallory.outbox.addByHttp(id, text) : mallory.outbox.add(id, text));
  await expect.poll(() => carol.log(id).held, { timeout: PATIENCE_MS }).toBe(texts.length);
  const seen = (device: typeof carol) =>
    device.log(id).events.map((e) => (e.kind === "message" ? textOf(e.content) : ""));
  expect(canonical(seen(carol).sort())).toBe(canonical([...texts].sort()));
  expect(seen(mallory)).toEqual(seen(carol));
  for (const isShipped of [false, true]) {
    const shipped = () => shippedCounts(server.dataDir).get(id);
    if (isShipped) await expect.poll(shipped, { timeout: PATIENCE_MS, interval: 500 }).toBe(texts.length);
    const page = await ask(requestOf("history", { params: { id }, query: { limit: "200", after: "0" } }), carol.token);
    expect(canonical(JSON.parse(page.text).events)).toBe(canonical(carol.log(id).events));
  }
  for (const device of [mallory, carol]) {
    expect(device.faults).toEqual([]);
    device.cut();
  }
});
