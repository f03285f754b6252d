import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv } from "ajv";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { asyncapi } from "../../src/protocol/describe/asyncapi.ts";
import { CLIENT_FRAMES } from "../../src/protocol/describe/frames.ts";
import type { JsonObject } from "../../src/protocol/describe/schemas.ts";
import { CLOSE } from "../../src/protocol/errors.ts";
import { ClientFrame, ServerFrame } from "../../src/protocol/frames.ts";

const document = asyncapi();
const { messages } = document.components as { messages: Record<string, { payload: JsonObject }> };

/** The AsyncAPI initiative's own JSON Schema of the format. */
const OFFICIAL = createRequire(import.meta.url).resolve("@asyncapi/specs/schemas/3.0.0.json");
function isAsyncapi(candidate: unknown): { valid: boolean; errors: unknown } {
  const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
  const check = ajv.compile(JSON.parse(readFileSync(OFFICIAL, "utf8")) as AnySchema);
  return { valid: check(candidate) as boolean, errors: check.errors };
}

test("[DC-2] the AsyncAPI document fits the format's official schema", () => {
  expect(isAsyncapi(document)).toEqual({ valid: true, errors: null });
});

test("[DC-2] the official schema is not blind: a broken document is refused", () => {
  expect(isAsyncapi({ ...document, channels: { socket: { messages: { a: "b" } } } }).valid).toBe(false);
});

/** What a reference in the document points at. */
function target(ref: string): unknown {
  return ref
    .slice(2)
    .split("/")
    .reduce<unknown>((node, key) => (node as JsonObject | undefined)?.[key], document);
}

test("[DC-2] every reference leads somewhere", () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? "");
  expect(refs.length).toBeGreaterThan(50);
  expect(refs.filter((ref) => target(ref) === undefined)).toEqual([]);
});

test("[DC-2] every frame of either side is a message, and every client frame names its answer", () => {
  const types = [
    ...ClientFrame.options.map((option) => `client.${option.shape.type.value}`),
    ...ServerFrame.options.map((option) => `server.${option.shape.type.value}`),
  ];
  expect(Object.keys(messages).sort()).toEqual([...types, "ping", "pong"].sort());
  for (const [type, { answer }] of Object.entries(CLIENT_FRAMES)) {
    const replies = [answer, "error"].filter(Boolean).map((reply) => `#/channels/socket/messages/server.${reply}`);
    const operation = target(`#/operations/${type}`) as { reply: { messages: { $ref: string }[] } };
    expect(operation.reply.messages.map(({ $ref }) => $ref)).toEqual(replies);
  }
});

test("[DC-2] the close codes say which are final", () => {
  const codes = target("#/channels/socket/x-close-codes");
  expect(codes).toContainEqual({ code: CLOSE.signed_out.code, reason: "signed_out", reconnect: false });
  expect(codes).toContainEqual({ code: CLOSE.token_expired.code, reason: "token_expired", reconnect: true });
  expect(codes).toHaveLength(Object.keys(CLOSE).length);
});

/** An independent reader's opinion of a frame. */
function reads(message: string) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "doc", components: document.components } as unknown as AnySchema);
  const payload = JSON.stringify(messages[message]?.payload).replaceAll('"#/', '"doc#/');
  return ajv.compile(JSON.parse(payload) as AnySchema);
}

test("[DC-3] frames are read alike by the document and by the server", () => {
  const conversationId = `d${"0".repeat(26)}`;
  const pull = { type: "pull", id: 1, conversationId, after: 0 };
  const samples: [object, boolean][] = [
    [pull, true],
    [{ ...pull, extra: 1 }, false],
    [{ ...pull, after: -1 }, false],
    [{ ...pull, conversationId: "x" }, false],
    [{ ...pull, limit: 1_001 }, false],
  ];
  const isPull = reads("client.pull");
  for (const [sample, fits] of samples) {
    expect(isPull(sample), JSON.stringify(sample)).toBe(fits);
    expect(ClientFrame.safeParse(sample).success, JSON.stringify(sample)).toBe(fits);
  }
  const isCaughtUp = reads("server.caught_up");
  expect(isCaughtUp({ type: "caught_up", cursor: "c", later: 1 })).toBe(true);
  expect(isCaughtUp({ type: "caught_up" })).toBe(false);
});
