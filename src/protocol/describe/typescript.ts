import type * as z from "zod";
import { ERRORS } from "../errors.ts";
import { DOORS, type Door } from "../http.ts";
import { PushPayload } from "../push.ts";
import { components, type Json, type JsonObject } from "./schemas.ts";

/** The contract as plain TypeScript, for programs that do not have zod: `src/sdk/client/wire.ts`. */

const BANNER = "/** Made from src/protocol/ by `npm run docs`. Do not edit. */\n\n";
/** An app has no business at the operator's doors. */
const doors = (Object.entries(DOORS) as [string, Door][]).filter(([, { access }]) => access !== "operator");

/** Which doors there are, as data: small enough to be sent to a browser. */
export function doorTable(): string {
  const rows = doors.map(([name, { method, path }]) => {
    return `  ${name}: "${method.toUpperCase()} ${path}",\n`;
  });
  const type = "Readonly<Record<DoorName, string>>";
  return `import type { DoorName } from "./wire.ts";\n\n${BANNER}/** The method and the path of each. */\nexport const DOOR_TABLE: ${type} = {\n${rows.join("")}};\n`;
}

export function wireTypes(): string {
  const asked = doors.flatMap(([, { params, query, body }]) => [params, query, body].filter((s) => s !== undefined));
  const told = doors.flatMap(([, { answers }]) => Object.values(answers).filter((schema) => schema !== null));
  const { schemas, request, answer } = components(asked, [...told, PushPayload]);
  const named = Object.entries(schemas)
    .filter(([name]) => name !== "ErrorCode")
    .map(([name, schema]) => `export type ${name} = ${typeOf(schema)};\n`);
  const codes = Object.keys(ERRORS).map((code) => `\n  | "${code}"`);
  const each = doors.map(
    ([name, door]) => `  ${name}: { ${asksOf(door, request)}answer: ${answerOf(door, answer)} };\n`,
  );
  return [
    `${BANNER}/** Every code that the server, or this client, refuses with. */\nexport type ErrorCode =${codes.join("")};\n\n`,
    named.join("\n"),
    `\n/** What each door is asked with, and what it answers. */\nexport type Doors = {\n${each.join("")}};\n`,
    "export type DoorName = keyof Doors;\n",
  ].join("");
}

type Write = (schema: z.ZodType) => JsonObject;

function asksOf({ params, query, body }: Door, write: Write): string {
  const parts = [
    ["params", params],
    ["query", query],
    ["body", body],
  ] as const;
  return parts
    .flatMap(([part, schema]) => {
      if (!schema) return [];
      const isNeeded = !schema.safeParse({}).success;
      return [`${part}${isNeeded ? "" : "?"}: ${typeOf(write(schema))}; `];
    })
    .join("");
}

function answerOf({ answers }: Door, write: Write): string {
  const types = Object.values(answers).map((schema) => (schema === null ? "null" : typeOf(write(schema))));
  return [...new Set(types)].join(" | ");
}

/** A whole number that is written in a URL. */
const DIGITS = String.raw`^\d{1,15}$`;

/** The TypeScript of a JSON Schema, as far as the contract's schemas go. */
function typeOf(schema: Json | undefined): string {
  if (schema === undefined || schema === null || typeof schema !== "object" || Array.isArray(schema)) return "unknown";
  if (typeof schema.$ref === "string") return schema.$ref.split("/").at(-1) ?? "unknown";
  if ("const" in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const union = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(union)) return union.map(typeOf).join(" | ");
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(" | ");
  if (Array.isArray(schema.allOf)) return schema.allOf.map(typeOf).join(" & ");
  if (schema.type === "object") return objectOf(schema);
  if (schema.type === "array") return `readonly (${typeOf(schema.items)})[]`;
  if (schema.type === "integer" || schema.type === "number" || schema.pattern === DIGITS) return "number";
  return schema.type === "string" || schema.type === "boolean" || schema.type === "null" ? schema.type : "unknown";
}

function objectOf({ properties, required, additionalProperties }: JsonObject): string {
  const known = Object.entries((properties ?? {}) as JsonObject);
  if (known.length === 0) return `{ readonly [name: string]: ${typeOf(additionalProperties)} }`;
  const needed = new Set((required ?? []) as string[]);
  const fields = known.map(([name, schema]) => {
    const type = typeOf(schema);
    return `readonly ${name}${needed.has(name) ? `: ${type}` : `?: ${type} | undefined`}`;
  });
  return `{ ${fields.join("; ")} }`;
}
