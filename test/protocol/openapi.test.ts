import { validate } from "@readme/openapi-parser";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { openapi } from "../../src/protocol/describe/openapi.ts";
import type { JsonObject } from "../../src/protocol/describe/schemas.ts";
import { ERRORS } from "../../src/protocol/errors.ts";
import { DOORS, type Door } from "../../src/protocol/http.ts";

type Content = Record<string, { schema: JsonObject }>;
type Response = { description: string; content?: Content };
type Operation = {
  operationId: string;
  security: JsonObject[];
  parameters?: { name: string; in: string; required: boolean; schema: JsonObject }[];
  requestBody?: { content: Content };
  responses: Record<string, Response>;
};
const document = openapi();
const operations = document.paths as unknown as Record<string, Record<string, Operation>>;
const doors = Object.entries(DOORS) as [keyof typeof DOORS, Door][];
const operationOf = (door: Door): Operation => {
  const found = operations[door.path]?.[door.method];
  if (!found) throw new Error(`no operation for ${door.method} ${door.path}`);
  return found;
};

/** Compiles a schema of the document with an independent reader. */
function reader(schema: JsonObject) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const root = { $id: "doc", components: document.components } as unknown as AnySchema;
  ajv.addSchema(root);
  const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/'));
  return ajv.compile(absolute as AnySchema);
}

test("[DC-1] an independent reader accepts the OpenAPI document", async () => {
  const result = await validate(structuredClone(document) as never);
  expect(result).toMatchObject({ valid: true, warnings: [] });
});

test("[DC-1] the reader is not blind: a broken document is refused", async () => {
  const broken = { ...structuredClone(document), paths: { "/x": { get: { responses: { 200: {} } } } } };
  expect(await validate(broken as never)).toMatchObject({ valid: false });
});

describe("[DC-1] each door is described as it is", () => {
  test.each(doors)("%s", (name, door) => {
    const operation = operationOf(door);
    expect(operation.operationId).toBe(name);
    expect(operation.security).toEqual(door.access === "anyone" ? [] : [{ [door.access]: [] }]);
    for (const status of Object.keys(door.answers)) expect(operation.responses).toHaveProperty(status);
    for (const code of door.refusals) {
      const refusal = operation.responses[ERRORS[code].status];
      expect(refusal?.content, code).toHaveProperty(["application/problem+json"]);
      expect(refusal?.description).toContain(code);
    }
    for (const { schema } of Object.values(operation.responses).flatMap(({ content }) =>
      Object.values(content ?? {}),
    )) {
      reader(schema);
    }
  });
});

const schemaOf = (content: Content | undefined, type: string): JsonObject => {
  const found = content?.[type]?.schema;
  if (!found) throw new Error(`no ${type}`);
  return found;
};

test("[DC-3] a request with an unknown field is refused by the document as by the server, at every depth", () => {
  const isFit = reader(schemaOf(operationOf(DOORS.send).requestBody?.content, "application/json"));
  const ulid = "01JD00000000000000000000ZZ";
  const content = { type: "text", text: "hello" };
  const wish = { idempotencyKey: ulid, composedAt: 1, sentAt: 1, event: { kind: "message", content } };
  const samples: [object, boolean][] = [
    [wish, true],
    [{ ...wish, extra: 1 }, false],
    [{ ...wish, event: { kind: "message", content: { ...content, extra: 1 } } }, false],
    [{ ...wish, composedAt: "1" }, false],
    [{ ...wish, event: { kind: "message", content: { type: "text", text: "" } } }, false],
  ];
  for (const [sample, fits] of samples) {
    expect(isFit(sample), JSON.stringify(sample)).toBe(fits);
    expect(DOORS.send.body.safeParse(sample).success, JSON.stringify(sample)).toBe(fits);
  }
});

test("[DC-3] an answer may hold more than the document says, at every depth, but not less", () => {
  const answer = operationOf(DOORS.refresh).responses[200]?.content;
  const isPair = reader(schemaOf(answer, "application/json"));
  expect(isPair({ accessToken: "a", accessExpiresAt: 1, refreshToken: "r", later: true })).toBe(true);
  expect(isPair({ accessToken: "a", refreshToken: "r" })).toBe(false);
  const answers = Object.values(operations).flatMap((methods) => Object.values(methods).map((one) => one.responses));
  expect(JSON.stringify(answers)).not.toContain("additionalProperties");
});

test("[DC-1] path parameters are required, numbers in a query are described as numbers", () => {
  const { parameters } = operationOf(DOORS.history);
  expect(parameters).toContainEqual(expect.objectContaining({ name: "id", in: "path", required: true }));
  const limit = parameters?.find(({ name }) => name === "limit");
  expect(limit).toMatchObject({ in: "query", required: false, schema: { type: "integer", minimum: 1, maximum: 200 } });
});
