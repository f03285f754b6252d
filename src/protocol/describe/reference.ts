import type * as z from "zod";
import { CLOSE, ERRORS, Problem } from "../errors.ts";
import { ClientFrame, ServerFrame } from "../frames.ts";
import { DOORS, type Door } from "../http.ts";
import { CLIENT_FRAMES, clientFrames, SERVER_FRAMES, serverFrames } from "./frames.ts";
import { areaOf } from "./openapi.ts";
import { refusalsOf } from "./refusals.ts";
import { type Components, components, type Json, type JsonObject } from "./schemas.ts";

/** A type in words; an object names another schema of this reference. */
export type Part = string | { ref: string };
export type Field = { name: string; required: boolean; type: Part[]; description: string };
/** Either fields, or, for what is no object, a type. */
export type Shape = { type: Part[]; fields: Field[] };
export type Named = Shape & { name: string; description: string };
export type DoorReference = {
  name: string;
  method: string;
  path: string;
  summary: string;
  access: Door["access"];
  params: Field[];
  query: Field[];
  body: Shape | null;
  answers: { status: string; shape: Shape | null }[];
  refusals: string[];
};
export type FrameReference = { type: string; summary: string; fields: Field[]; answer?: string | null };

const named = (): Components => {
  const doors: Door[] = Object.values(DOORS);
  const answers = doors.flatMap((door) => Object.values(door.answers)).filter((schema) => schema !== null);
  const places = doors.flatMap((door) => [door.params ?? [], door.query ?? []].flat());
  return components(
    [ClientFrame, ...doors.flatMap((door) => door.body ?? [])],
    [ServerFrame, Problem, ...answers, ...places],
  );
};

/** Everything that docs/protocol.md and the /docs page say, in the order they say it. */
export function reference() {
  const schemas = named();
  const doors = Object.entries(DOORS).map(([name, door]) => [areaOf(door), describeDoor(name, door, schemas)] as const);
  const areas = [...new Set(doors.map(([area]) => area))];
  return {
    areas: areas.map((area) => ({ area, doors: doors.filter(([of]) => of === area).map(([, door]) => door) })),
    clientFrames: clientFrames.map(([type, schema]): FrameReference => {
      return { type, ...CLIENT_FRAMES[type], fields: fieldsOf(resolve(schemas.request(schema), schemas)) };
    }),
    serverFrames: serverFrames.map(([type, schema]): FrameReference => {
      return { type, summary: SERVER_FRAMES[type], fields: fieldsOf(resolve(schemas.answer(schema), schemas)) };
    }),
    schemas: Object.entries(schemas.schemas)
      .filter(([name]) => !name.endsWith("Frame"))
      .map(([name, node]): Named => ({ name, description: text(node.description), ...shapeOf(node) })),
    errors: Object.entries(ERRORS).map(([code, trait]) => ({ code, ...trait })),
    closes: Object.entries(CLOSE).map(([reason, close]) => ({ reason, ...close })),
  };
}
export type Reference = ReturnType<typeof reference>;

function describeDoor(name: string, door: Door, schemas: Components): DoorReference {
  const fieldsIn = (schema: z.ZodType | undefined) => (schema ? fieldsOf(schemas.answer(schema)) : []);
  const { method, path, summary, access, body } = door;
  return {
    ...{ name, method: method.toUpperCase(), path, summary, access },
    params: fieldsIn(door.params),
    query: fieldsIn(door.query),
    body: body ? shapeOf(schemas.request(body)) : null,
    answers: answersOf(door, schemas),
    refusals: refusalsOf(door),
  };
}

/** Statuses that answer with the same shape are told together. */
function answersOf(door: Door, schemas: Components): DoorReference["answers"] {
  const told: DoorReference["answers"] = [];
  for (const [status, schema] of Object.entries(door.answers)) {
    const shape = schema === null ? null : shapeOf(schemas.answer(schema));
    const same = told.find((answer) => JSON.stringify(answer.shape) === JSON.stringify(shape));
    if (same) same.status += ` or ${status}`;
    else told.push({ status, shape });
  }
  return told;
}

/** A frame is shown with its fields, not as a reference to itself. */
function resolve(node: JsonObject, { schemas }: Components): JsonObject {
  return typeof node.$ref === "string" ? (schemas[nameOf(node.$ref)] ?? node) : node;
}

const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);
const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");
const object = (value: Json | undefined): JsonObject =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

const shapeOf = (node: JsonObject): Shape => ({ type: typeOf(node), fields: fieldsOf(node) });

function fieldsOf(node: JsonObject): Field[] {
  const required = new Set(list(node.required));
  return Object.entries(object(node.properties)).map(([name, value]): Field => {
    const field = object(value);
    return { name, required: required.has(name), type: typeOf(field), description: text(field.description) };
  });
}

/** A JSON schema in a few words. */
function typeOf(node: JsonObject): Part[] {
  if (typeof node.$ref === "string") return [{ ref: nameOf(node.$ref) }];
  if (node.const !== undefined) return [JSON.stringify(node.const)];
  if (node.enum !== undefined)
    return [
      list(node.enum)
        .map((value) => JSON.stringify(value))
        .join(" | "),
    ];
  const options = [...list(node.anyOf), ...list(node.oneOf)];
  if (options.length > 0)
    return join(
      options.map((option) => typeOf(object(option))),
      " | ",
    );
  if (node.type === "array") return [...typeOf(object(node.items)), "[]", bounds(node.minItems, node.maxItems)];
  if (node.type === "object") return inline(node);
  return [text(node.type) + bounds(node.minimum ?? node.minLength, node.maximum ?? node.maxLength)];
}

function inline(node: JsonObject): Part[] {
  const fields = fieldsOf(node).map(({ name, required, type }) => [`${name}${required ? "" : "?"}: `, ...type]);
  return ["{ ", ...join(fields, ", "), " }"];
}

const join = (parts: Part[][], separator: string): Part[] =>
  parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part]));

function bounds(least: Json | undefined, most: Json | undefined): string {
  if (least === undefined && most === undefined) return "";
  if (most === undefined) return ` (${least} or more)`;
  return least === undefined ? ` (at most ${most})` : ` (${least} to ${most})`;
}
