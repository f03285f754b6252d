import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ERRORS } from "../../src/protocol/errors.ts";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import { ConversationId } from "../../src/protocol/ids.ts";
import { bodyOf } from "./support/outbox.ts";
import { PATIENCE_MS } from "./support/patience.ts";
import { leakIn, rawTcp } from "./support/probe.ts";
import { type Scene, setScene } from "./support/scene.ts";
import { bugsIn, type Server, startServer } from "./support/server.ts";
import { idOf, type Raw, strangeFrame } from "./support/strange.ts";
import { openWire, UpgradeRefused, type Wire } from "./support/wire.ts";

const ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
/** What a client frame can be answered with; all else comes whenever it comes. */
const ANSWERS: readonly ServerFrame["type"][] = ["error", "ack", "page", "welcome"];
const RUNS = Number(process.env.FUZZ_RUNS ?? 250);

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

async function greeted(token = scene.alice.token): Promise<Wire> {
  const wire = await openWire(server.url, token);
  expect((await wire.ask({ type: "hello", version: 1, cursor: null })).type).toBe("welcome");
  await wire.until((frame) => frame.type === "caught_up");
  return wire;
}

/** What a frame is answered with. Proves, by a pull and a ping that are answered, that the socket is alive after it. */
async function answersTo(wire: Wire, raw: Raw, conversationId = scene.direct): Promise<ServerFrame[]> {
  const { length } = wire.frames;
  const pongs = wire.pongs;
  wire.raw(raw);
  wire.raw("ping");
  const page = await wire.ask({ type: "pull", conversationId: ConversationId.parse(conversationId), after: 0 });
  expect(page.type).toBe("page");
  expect(wire.pongs).toBe(pongs + 1);
  return wire.frames.slice(length).filter((frame) => frame !== page && ANSWERS.includes(frame.type));
}

function expectRefusal(answers: ServerFrame[], codes: readonly string[], id?: number): void {
  expect(answers, JSON.stringify(answers)).toHaveLength(1);
  const [answer] = answers;
  if (answer?.type !== "error") throw new Error(`answered with ${JSON.stringify(answer)}`);
  expect(codes).toContain(answer.code);
  expect(answer.retryable).toBe(ERRORS[answer.code].retryable);
  expect(answer.id).toBe(id);
  expect(leakIn(answer.detail)).toBeNull();
}

/** One frame of each type that would be served. */
const validFrame = (conversationId: string) => {
  const id = fc.nat({ max: 1_000_000 });
  const wish = bodyOf({ key: ULID, composedAt: 1, text: "hi" }, 1);
  return fc.oneof(
    id.map((id) => ({ type: "hello", id, version: 1, cursor: null, background: false })),
    id.map((id) => ({ type: "send", id, conversationId, ...wish })),
    id.map((id) => ({ type: "pull", id, conversationId, after: 0, limit: 10 })),
    id.map((id) => ({ type: "receipt", id, conversationId, delivered: 0, read: 0 })),
    id.map((id) => ({ type: "cursor", id, cursor: "x" })),
  );
};

describe("[IN-6] frames that change nothing", () => {
  test("[IN-1] a frame outside the schema is answered once, with a code, and the socket stays", async () => {
    const wire = await greeted();
    await fc.assert(
      fc.asyncProperty(strangeFrame(validFrame(scene.direct)), async (raw) => {
        const answers = await answersTo(wire, raw);
        const isLarge = Buffer.byteLength(raw) > 128 * 1024;
        if (isLarge) expectRefusal(answers, ["payload_too_large"]);
        else expectRefusal(answers, ["invalid_request"], idOf(raw));
      }),
      { numRuns: RUNS },
    );
    expect(wire.strange).toEqual([]);
    wire.cut();
  });

  test("[IN-2] whatever comes before hello is refused, and hello still works after it", async () => {
    const frames = strangeFrame(validFrame(scene.direct));
    const early = fc.oneof(
      frames,
      validFrame(scene.direct)
        .filter((f) => f.type !== "hello")
        .map((f) => JSON.stringify(f)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(early, { minLength: 1, maxLength: 6 }), async (raws) => {
        const wire = await openWire(server.url, scene.alice.token);
        for (const raw of raws) wire.raw(raw);
        const welcome = await wire.ask({ type: "hello", version: 1, cursor: null });
        expect(welcome.type).toBe("welcome");
        const errors = wire.frames.filter((frame) => frame.type === "error");
        expect(errors).toHaveLength(raws.length);
        for (const { code } of errors)
          expect(["hello_required", "invalid_request", "payload_too_large"]).toContain(code);
        wire.cut();
      }),
      { numRuns: RUNS / 5 },
    );
  });

  test("[IN-2] a second hello and a version nobody speaks are refused, and the socket stays", async () => {
    const wire = await openWire(server.url, scene.alice.token);
    for (const version of [0, 2, -1, 99_999]) {
      const answer = await wire.ask({ type: "hello", version, cursor: null });
      expect(answer).toMatchObject({ type: "error", code: "unsupported_version" });
    }
    expect((await wire.ask({ type: "hello", version: 1, cursor: null })).type).toBe("welcome");
    await wire.until((frame) => frame.type === "caught_up");
    const again = JSON.stringify({ type: "hello", id: 5, version: 1, cursor: null });
    expectRefusal(await answersTo(wire, again), ["invalid_request"], 5);
    wire.cut();
  });

  test("[IN-3] strangers and removed members get nothing out of a socket", async () => {
    const conversationId = ConversationId.parse(scene.group);
    const wish = bodyOf({ key: ULID, composedAt: Date.now(), text: "let me in" }, Date.now());
    for (const [person, send, pull] of [
      [scene.mallory, "not_found", "not_found"],
      [scene.carol, "not_member", null],
    ] as const) {
      const wire = await greeted(person.token);
      expect(await wire.ask({ type: "send", conversationId, ...wish })).toMatchObject({ type: "error", code: send });
      const read = await wire.ask({ type: "receipt", conversationId, read: 1 });
      expect(read).toMatchObject({ type: "error", code: send });
      const page = await wire.ask({ type: "pull", conversationId, after: 0 });
      if (pull !== null) expect(page).toMatchObject({ type: "error", code: pull });
      else expect(page.type === "page" && page.events.at(-1)).toMatchObject({ kind: "member", change: "removed" });
      wire.cut();
    }
  });
});

describe("[IN-6] upgrades that change nothing", () => {
  const upgrade = (token: string, protocols?: string[]) =>
    openWire(server.url, token, protocols).then(
      async (wire) => `closed ${(await wire.closed).code}`,
      (error: unknown) => (error instanceof UpgradeRefused ? `${error.status} ${error.problem?.code}` : String(error)),
    );

  test("[IN-5] only a good token opens a socket, and a signed-out device is told so", async () => {
    for (const [what, token] of Object.entries(scene.badTokens)) {
      const expected = what === "expired" ? "closed 4003" : "401 unauthenticated";
      expect(await upgrade(token), what).toBe(expected);
    }
    expect(await upgrade(scene.lost.token)).toBe("closed 4001");
    expect(await upgrade("", ["edgewise.v1"])).toBe("401 unauthenticated");
    expect(await upgrade("", ["edgewise.v2", `bearer.${scene.alice.token}`])).toBe("400 unsupported_version");
    expect(await upgrade("", [`bearer.${scene.alice.token}`])).toBe("400 unsupported_version");
  });

  test("[IN-5] a door for sockets answers plain HTTP with a code", async () => {
    for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE"]) {
      const response = await fetch(`${server.url}/v1/socket`, { method });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
  });

  test("[IN-7] garbage on the wire harms nobody", async () => {
    const head = "GET /v1/socket HTTP/1.1\r\nHost: x\r\n";
    const websocket = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const token = `Sec-WebSocket-Protocol: edgewise.v1, bearer.${scene.alice.token}\r\n`;
    const halves = [head, websocket, key, token, "\r\n", "Sec-WebSocket-Version: 8\r\n", "Content-Length: 5\r\n", "\0"];
    const noFrames = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    const afterUpgrade = noFrames.map((bytes) =>
      Buffer.concat([Buffer.from(`${head}${websocket}${key}${token}\r\n`), bytes]),
    );
    const pieces = fc.array(fc.constantFrom(...halves), { maxLength: 8 }).map((all) => Buffer.from(all.join("")));
    await fc.assert(
      fc.asyncProperty(fc.oneof(noFrames, afterUpgrade, pieces), async (bytes) => {
        const answer = await rawTcp(server.port, bytes, 40);
        expect(answer).not.toMatch(/^HTTP\/1\.1 50[02-9]/); // 501 is the runtime's word for a method it has never heard of
        expect(leakIn(answer.replaceAll(/^.*\r\n\r\n/gs, ""))).toBeNull();
        expect(await server.isHealthy(PATIENCE_MS)).toBe(true);
      }),
      { numRuns: RUNS / 5 },
    );
  });
});
