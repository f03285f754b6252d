import { expect, test } from "vitest";
import { ExportLine } from "../../src/protocol/export.ts";
import type { Session } from "../../src/protocol/http.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { Export } from "../../src/routes/exports.ts";
import { accountById } from "../../src/storage/directory.ts";
import worker from "../../src/worker.ts";
import { bindings, command, conversation, inbox, nextCall } from "../objects/support.ts";
import { awayFromWindowEdge } from "./support/accounts.ts";
import { buildWorld, eraseMe, logFor, OPERATOR } from "./support/erasure.ts";
import { ask, openPair, say, settle } from "./support/worker.ts";

const get = async (path: string, token: string, changed = {}): Promise<Response> =>
  worker.fetch(new Request(`https://edgewise.test${path}`, { headers: { authorization: `Bearer ${token}` } }), {
    ...bindings,
    ...changed,
  });
/** Not `text()`, which the runtime warns of where the type is none of text. */
const textOf = async (response: Response | Promise<Response>): Promise<string> =>
  new TextDecoder().decode(await (await response).arrayBuffer());
const exported = (who: Session, after?: string, changed = {}) =>
  get(`/v1/me/export${after === undefined ? "" : `?after=${after}`}`, who.accessToken, changed);

const parse = (text: string): ExportLine[] =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => ExportLine.parse(JSON.parse(line)));
const linesOf = async (response: Promise<Response>): Promise<ExportLine[]> => parse(await textOf(response));
type Of<T extends ExportLine["type"]> = Extract<ExportLine, { type: T }>;
const of = <T extends ExportLine["type"]>(lines: readonly ExportLine[], type: T): Of<T>[] =>
  lines.filter((line): line is Of<T> => line.type === type);
const WIDE = { RATE_LIMITS: "wide" };

/** Says so much at once that it takes several pages. */
async function sayMany({ user, device }: Session, id: ConversationId, count: number): Promise<void> {
  for (let said = 0; said < count; said += 100) {
    const commands = Array.from({ length: Math.min(100, count - said) }, (_, i) =>
      command(user.userId, device.deviceId, `number ${said + i}`),
    );
    await conversation(id).append(user.userId, { commands, aloneAs: null, confirmed: [], call: nextCall() });
  }
}

test("[EX-1] [EX-2] the file holds what an independent walk over the public doors finds, in order, shipped and not", async () => {
  const world = await buildWorld();
  const { ann, direct, group, past } = world;
  const response = await exported(ann);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="[\w.-]+"$/);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  const lines = parse(await textOf(response));
  expect(lines[0]).toMatchObject({ type: "manifest", format: "edgewise.export.1", userId: ann.user.userId });

  const door = async (path: string) => (await ask(ann, "GET", path)).json;
  expect(of(lines, "profile")).toMatchObject([await door("/v1/me")]);
  expect(of(lines, "device").map((d) => d.deviceId)).toEqual(
    (await door("/v1/me/devices")).devices.map((d: { deviceId: string }) => d.deviceId),
  );
  expect(of(lines, "contact").map(({ type: _, ...contact }) => contact)).toEqual((await door("/v1/contacts")).contacts);
  expect(of(lines, "block").map(({ type: _, ...block }) => block)).toEqual((await door("/v1/blocks")).blocks);
  expect(of(lines, "pushSubscription")).toMatchObject([{ deviceId: ann.device.deviceId, provider: "fcm" }]);

  const listed = (await door("/v1/conversations?limit=100")).conversations as { conversationId: ConversationId }[];
  const conversations = of(lines, "conversation");
  expect(conversations.map((c) => c.conversationId)).toEqual(listed.map((c) => c.conversationId).sort());
  expect(conversations.find((c) => c.conversationId === direct)).toMatchObject({
    mine: { pinned: true },
    kind: "direct",
  });
  expect(conversations.find((c) => c.conversationId === group)?.members).toMatchObject([
    { userId: ann.user.userId, role: "admin", handle: world.handle },
    { userId: world.bob.user.userId },
    { userId: world.cara.user.userId },
  ]);
  for (const id of [direct, group, past]) {
    const events = of(lines, "event").flatMap(({ event }) => (event.conversationId === id ? event : []));
    expect(events).toEqual(await logFor(ann, id));
  }
  const media = of(lines, "media");
  expect(media).toHaveLength(2);
  expect(media.find((m) => m.mediaId === world.picture)?.href).toBe(`/v1/media/${world.picture}`);
  expect((await get(`${media[0]?.href}`, ann.accessToken)).status).toBe(302);

  const counts = Object.fromEntries(
    Object.keys(of(lines, "end")[0]?.counts ?? {}).map((type) => [type, of(lines, type as "event").length]),
  );
  expect(lines.at(-1)).toEqual({ type: "end", counts });
});

test("[EX-7] no secret is in the file: no hash, no endpoint, no token", async () => {
  const { ann } = await buildWorld();
  const text = await textOf(exported(ann));
  expect(text).not.toMatch(/argon2|-token"|generation|password|renewed/i);
  expect(text).not.toMatch(/eyJ[\w-]+\./); // as a signed token begins; an id may hold these letters
  expect(text).not.toContain(ann.refreshToken);
});

test("[EX-1] what a person may not see is not in it: others' conversations, what was before they came, what a blocked one said", async () => {
  const { ann, bob, cara, direct } = await buildWorld();
  await say(bob, await openPair(bob, cara), "between us two");
  await ask(bob, "PUT", `/v1/blocks/${ann.user.userId}`);
  await say(ann, direct, "not for bob");
  const text = await textOf(exported(bob));
  expect(text).toContain("between us two");
  expect(text).not.toContain("not for bob");
  expect(await textOf(exported(ann))).not.toContain("between us two");
});

test("[EX-3] a file that was cut anywhere is seen to be no whole one", async () => {
  const { ann } = await buildWorld();
  const text = await textOf(exported(ann));
  const isWhole = (file: string) => {
    const lines = file.split("\n");
    try {
      return lines.pop() === "" && JSON.parse(lines.at(-1) ?? "").type === "end";
    } catch {
      return false;
    }
  };
  expect(isWhole(text)).toBe(true);
  for (let cut = 0; cut < text.length; cut += 97) expect(isWhole(text.slice(0, cut))).toBe(false);
  expect(isWhole(text.slice(0, -1))).toBe(false);
});

test("[EX-4] a broken download goes on behind any line that came, and both hold what one would, each once", async () => {
  const { ann, direct } = await buildWorld();
  await sayMany(ann, direct, 450);
  await settle(direct);
  await sayMany(ann, direct, 10);
  const whole = await linesOf(exported(ann));
  const key = (line: ExportLine) =>
    line.type === "event"
      ? `${line.event.conversationId}.${line.event.seq}`
      : line.type === "media"
        ? `media.${line.mediaId}`
        : "";
  const places = whole.map(key);
  const all = places.filter(Boolean);
  for (const cut of [...places.entries()].filter(([i, place]) => place && i % 61 === 7).map(([i]) => i)) {
    const rest = await linesOf(exported(ann, places[cut]));
    expect(rest[0]).toMatchObject({ type: "manifest", after: places[cut] });
    expect(rest.at(-1)?.type).toBe("end");
    expect([...places.slice(0, cut + 1), ...rest.map(key)].filter(Boolean)).toEqual(all);
  }
  for (const after of ["x", "media.x", `${direct}.-1`, `${direct}`, "d.1"])
    expect((await exported(ann, encodeURIComponent(after))).status, after).toBe(400);
  expect((await linesOf(exported(ann, "media."))).filter((l) => l.type === "event")).toEqual([]);
});

test("[EX-3] what does not answer in the middle is asked again; in the end the file says so, and where to go on", async () => {
  const { ann, direct } = await buildWorld();
  await sayMany(ann, direct, 450);
  await settle(direct);
  const whole = await linesOf(exported(ann));
  const failing = (from: number, to: number) => {
    let calls = 0;
    const history =
      (id: ConversationId) =>
      async (...args: unknown[]) => {
        calls += 1;
        if (calls >= from && calls < to) throw Object.assign(new Error("away"), { overloaded: true });
        return (conversation(id).history as (...args: unknown[]) => unknown)(...args);
      };
    const getByName = (id: ConversationId) =>
      new Proxy({}, { get: (_, name) => (name === "history" ? history(id) : Reflect.get(conversation(id), name)) });
    return { CONVERSATIONS: { getByName } };
  };
  const mended = await linesOf(exported(ann, undefined, failing(3, 5)));
  expect(mended.slice(1)).toEqual(whole.slice(1));
  const broken = await linesOf(exported(ann, undefined, failing(3, 1_000)));
  const last = broken.at(-1);
  expect(last).toMatchObject({ type: "error", code: "unavailable" });
  expect(of(broken, "end")).toEqual([]);
  const rest = await linesOf(exported(ann, last?.type === "error" ? last.after : ""));
  expect([...of(broken, "event"), ...of(rest, "event")]).toEqual(of(whole, "event"));
});

test("[EX-2] what the reader does not take is not read", async () => {
  const { ann, direct } = await buildWorld();
  await sayMany(ann, direct, 2_000);
  let pages = 0;
  const counting = {
    getByName: (id: ConversationId) =>
      new Proxy(
        {},
        {
          get: (_, name) => {
            if (name === "history") pages += 1;
            return Reflect.get(conversation(id), name);
          },
        },
      ),
  };
  const response = await exported(ann, undefined, { CONVERSATIONS: counting });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(pages).toBeLessThanOrEqual(1);
  await reader.cancel();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(pages).toBeLessThanOrEqual(1);
});

test("[EX-5] what is more than one answer may ask for goes on in the next", async () => {
  const { ann } = await buildWorld();
  const whole = await linesOf(exported(ann));
  const events: ExportLine[] = [];
  let after: string | undefined;
  let files = 0;
  for (let last = ""; last !== "end"; files++) {
    const account = await accountById(bindings.DIRECTORY, ann.user.userId);
    if (!account) throw new Error("no account");
    let text = "";
    for await (const piece of new Export(bindings, account, 8).lines(after)) text += piece;
    const lines = parse(text);
    events.push(...of(lines, "event"));
    const end = lines.at(-1);
    last = end?.type ?? "";
    if (end?.type === "more") after = end.after;
  }
  expect(files).toBeGreaterThan(2);
  expect(events).toEqual(of(whole, "event"));
});

test("[EX-6] strangers are refused, the operator gets the same file, and one person's is made a few times a minute", async () => {
  const { ann, bob } = await buildWorld();
  expect((await get("/v1/me/export", "x")).status).toBe(401);
  const path = `/v1/operator/users/${ann.user.userId}/export`;
  for (const token of [ann.accessToken, bob.accessToken, "x"]) expect((await get(path, token)).status).toBe(401);
  expect((await get(path.replace(ann.user.userId, bob.device.deviceId), OPERATOR)).status).toBe(404);
  const byOperator = await linesOf(get(path, OPERATOR, WIDE));
  expect(byOperator.slice(1)).toEqual((await linesOf(exported(ann))).slice(1));
  await awayFromWindowEdge();
  const strict = { RATE_LIMITS: "strict" };
  const statuses = [];
  for (let i = 0; i < 7; i++) statuses.push((await exported(ann, undefined, strict)).status);
  expect(statuses.slice(0, 3)).toEqual([200, 200, 200]);
  expect(statuses.at(-1)).toBe(429);
  expect((await get(path, OPERATOR, strict)).status).toBe(429);
  expect((await exported(bob, undefined, strict)).status).toBe(200);
});

test("[EX-3] an export that an erasure overtakes does not pass for a whole one", async () => {
  const { ann, group } = await buildWorld();
  const overtaken = {
    getByName: (id: ConversationId) =>
      new Proxy(
        {},
        {
          get:
            (_, name) =>
            async (...args: unknown[]) => {
              if (name === "history") await conversation(group).erase(ann.user.userId);
              return (Reflect.get(conversation(id), name) as (...args: unknown[]) => unknown)(...args);
            },
        },
      ),
  };
  const lines = await linesOf(exported(ann, undefined, { CONVERSATIONS: overtaken }));
  expect(lines.at(-1)).toMatchObject({ type: "error", code: "not_found" });
  await eraseMe(ann);
  expect((await exported(ann)).status).toBe(401);
  expect(await inbox(ann.user.userId).kept()).toMatchObject({ subscriptions: [] });
});
