import * as z from "zod";
import { ERRORS, type ErrorCode, Problem } from "../errors.ts";
import { DOORS, type Door } from "../http.ts";
import { PROTOCOL_VERSION } from "../version.ts";
import { refusalsByStatus } from "./refusals.ts";
import { type Components, components, type JsonObject } from "./schemas.ts";

const ABOUT = `Messaging over HTTP; live traffic runs on the socket (see asyncapi.json). Unknown fields in a request are refused, \
unknown fields in an answer must be ignored. Times are milliseconds since the epoch. Every refusal is \`application/problem+json\` with a \
code from one closed list.`;

/** The OpenAPI 3.1 document of the HTTP doors. */
export function openapi(doors: Readonly<Record<string, Door>> = DOORS): JsonObject {
  const all = Object.values(doors);
  const bodies = all.flatMap((door) => door.body ?? []);
  const named = components(bodies, [Problem, ...all.flatMap(answersOf), ...all.flatMap(parameterSchemas)]);
  const paths: Record<string, JsonObject> = {};
  for (const [name, door] of Object.entries(doors)) {
    paths[door.path] = { ...paths[door.path], [door.method]: operation(name, door, named) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Edgewise", version: String(PROTOCOL_VERSION), description: ABOUT },
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    servers: [{ url: "/" }],
    tags: [...new Set(all.map(areaOf))].map((name) => ({ name })),
    paths,
    components: { schemas: named.schemas, securitySchemes: SECURITY },
  };
}

const SECURITY: JsonObject = {
  device: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "The `accessToken` of sign-up, sign-in or refresh.",
  },
  operator: { type: "http", scheme: "bearer", description: "The deployment's OPERATOR_TOKEN." },
};

/** The part of the API a door belongs to, read off its path. */
export function areaOf(door: Door): string {
  const area = /^\/v\d+\/(\w+)/.exec(door.path)?.[1];
  return area ?? "system";
}

const answersOf = (door: Door): z.ZodType[] => Object.values(door.answers).filter((schema) => schema !== null);

function operation(name: string, door: Door, named: Components): JsonObject {
  const parameters = [...parametersIn("path", door.params, named), ...parametersIn("query", door.query, named)];
  return {
    operationId: name,
    summary: door.summary,
    tags: [areaOf(door)],
    security: door.access === "anyone" ? [] : [{ [door.access]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(door.body && { requestBody: { required: true, content: json(named.request(door.body)) } }),
    responses: { ...successes(door, named), ...refusals(door, named) },
  };
}

const json = (schema: JsonObject): JsonObject => ({ "application/json": { schema } });
/** The schema of a stream is that of each of its lines. */
const answer = ({ mediaType }: Door, schema: JsonObject): JsonObject =>
  mediaType ? { [mediaType]: { schema } } : json(schema);

/** Parameters are described as what they are read as (an integer), which a URL writes in the same way. */
const parameterSchemas = (door: Door): z.ZodType[] => [door.params, door.query].flatMap((schema) => schema ?? []);

function parametersIn(place: "path" | "query", schema: z.ZodObject | undefined, named: Components): JsonObject[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => ({
    name,
    in: place,
    required: place === "path" || !z.safeParse(field as z.ZodType, undefined).success,
    schema: named.answer(field as z.ZodType),
  }));
}

const successes = (door: Door, named: Components): JsonObject =>
  Object.fromEntries(
    Object.entries(door.answers).map(([status, schema]) => {
      const description = MEANING[status] ?? "Done";
      return [status, schema === null ? { description } : { description, content: answer(door, named.answer(schema)) }];
    }),
  );

const MEANING: Readonly<Record<string, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted: it goes on by itself",
  204: "Done; no body",
  302: "Found: in the `location` header",
};

function refusals(door: Door, named: Components): JsonObject {
  return Object.fromEntries([...refusalsByStatus(door)].map(([status, codes]) => [status, refusal(codes, named)]));
}

function refusal(codes: ErrorCode[], named: Components): JsonObject {
  const narrowed = { type: "object", properties: { code: { enum: codes } } };
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join("\n\n"),
    content: { "application/problem+json": { schema: { allOf: [named.answer(Problem), narrowed] } } },
  };
}
