import * as z from "zod";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** The named schemas of a document, and how to write a schema in it: with references to them. */
export type Components = {
  schemas: Record<string, JsonObject>;
  /** As a client must write it: unknown fields are refused. */
  request: (schema: z.ZodType) => JsonObject;
  /** As the server writes it: unknown fields are to be ignored. */
  answer: (schema: z.ZodType) => JsonObject;
};

/** Where both document formats keep named schemas. */
const HOME = "#/components/schemas/";
/** What a name is suffixed with in requests when its shape there is stricter than in answers. */
const STRICT = "Input";

/** Turns zod schemas into JSON Schema 2020-12, those with a `meta` id once and by name. */
export function components(requests: readonly z.ZodType[], answers: readonly z.ZodType[]): Components {
  const asked = gather(requests, "input");
  const told = gather(answers, "output");
  const differing = differ(asked, told);
  const nameAsked = (id: string) => (differing.has(id) ? `${id}${STRICT}` : id);
  const nameTold = (id: string) => id;
  const named = [
    ...Object.entries(told).map(([id, node]) => [nameTold(id), refer(node, nameTold)] as const),
    ...Object.entries(asked).map(([id, node]) => [nameAsked(id), refer(node, nameAsked)] as const),
  ];
  return {
    schemas: Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1))),
    request: (schema) => refer(convert(schema, "input").root, nameAsked),
    answer: (schema) => refer(convert(schema, "output").root, nameTold),
  };
}

type Direction = "input" | "output";
type Definitions = Record<string, JsonObject>;

function convert(schema: z.ZodType, io: Direction): { root: JsonObject; named: Definitions } {
  const { $schema: _, $defs, ...root } = z.toJSONSchema(schema, { io }) as JsonObject;
  const clean = (node: Json) => simplify(node, io) as JsonObject;
  const entries = Object.entries(($defs ?? {}) as Definitions);
  return { root: clean(root), named: Object.fromEntries(entries.map(([id, node]) => [id, clean(node)])) };
}

const gather = (schemas: readonly z.ZodType[], io: Direction): Definitions =>
  Object.assign({}, ...schemas.map((schema) => convert(schema, io).named));

/** Leaves out the bounds of "any integer", and for answers the ban on unknown fields, which clients must ignore. */
function simplify(node: Json, io: Direction): Json {
  return walk(node, (object) =>
    Object.fromEntries(
      Object.entries(object).filter(
        ([key, value]) =>
          !(io === "output" && key === "additionalProperties" && value === false) &&
          !((key === "minimum" || key === "maximum") && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER),
      ),
    ),
  );
}

const refer = (node: JsonObject, name: (id: string) => string): JsonObject =>
  walk(node, (object) =>
    typeof object.$ref === "string" ? { ...object, $ref: HOME + name(object.$ref.slice("#/$defs/".length)) } : object,
  ) as JsonObject;

/** The ids that do not look the same in requests and answers, themselves or through what they refer to. */
function differ(asked: Definitions, told: Definitions): Set<string> {
  const shared = Object.keys(asked).filter((id) => id in told);
  const found = new Set(shared.filter((id) => JSON.stringify(asked[id]) !== JSON.stringify(told[id])));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const id of shared) if (refersTo(asked[id] ?? {}, found)) found.add(id);
  }
  return found;
}

const refersTo = (node: JsonObject, ids: ReadonlySet<string>): boolean =>
  [...ids].some((id) => JSON.stringify(node).includes(`"#/$defs/${id}"`));

function walk(node: Json, change: (object: JsonObject) => JsonObject): Json {
  if (Array.isArray(node)) return node.map((item) => walk(item, change));
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(Object.entries(change(node)).map(([key, value]) => [key, walk(value, change)]));
}
