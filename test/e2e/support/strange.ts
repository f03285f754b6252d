import fc from "fast-check";
import { ClientFrame } from "../../../src/protocol/frames.ts";

/** Values that somebody who never read the schema might send, and some that somebody who did would. */
export const strangeValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, "", " ", "\0", "\ud800", "a\udc00b", "ping", "__proto__", "constructor"),
  fc.constantFrom<unknown>(-1, -0, 0.5, 2 ** 53, -(2 ** 53), 1e308, Number.MAX_SAFE_INTEGER, "0", "1", "null"),
  fc.constantFrom<unknown>(
    [],
    {},
    [[]],
    { toString: 1 },
    { length: -1 },
    ["x"],
    "x".repeat(20_000),
    "é".repeat(70_000),
  ),
  fc.constantFrom<unknown>("' OR 1=1 --", "'; DROP TABLE events; --", "<script>", "%00", "../../etc/passwd", "\u202e"),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ unit: fc.constantFrom(..."0123456789ABCDEFGHJKMNPQRSTVWXYZ"), minLength: 25, maxLength: 28 }),
  fc.jsonValue({ maxDepth: 4 }),
  fc.integer({ min: 1, max: 3_000 }).map(nested),
);

/** Arrays in arrays. */
function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

/** Something that fits, with one of its fields (or one deeper down) replaced, missing, or joined by another. */
export function bent(valid: fc.Arbitrary<object>): fc.Arbitrary<object> {
  const change = fc.constantFrom("replace", "remove", "add", "addDeep");
  return fc.tuple(valid, change, fc.nat(), strangeValue, fc.string({ maxLength: 12 })).map(bend);
}

function bend([valid, change, at, value, name]: [object, string, number, unknown, string]): object {
  const entries = Object.entries(valid);
  const [key = "type", old] = entries[at % Math.max(1, entries.length)] ?? [];
  const isDeep = old !== null && typeof old === "object" && !Array.isArray(old);
  if (change === "remove") return Object.fromEntries(entries.filter(([k]) => k !== key));
  if (change === "add") return { ...valid, [name]: value };
  if (isDeep) return { ...valid, [key]: bend([old, change === "addDeep" ? "add" : change, at, value, name]) };
  return { ...valid, [key]: value };
}

const JSON_TEXT = fc.constantFrom(
  ...[
    '{"type":"pull","id":1e400}',
    '{"type":"pull","id":-0,"after":1e999}',
    '{"type":"hello","version":1e400,"cursor":null}',
  ],
  ...[
    '{"type":"send"',
    '{"type":"send","id":7,"id":8}',
    '{"__proto__":{"type":"cursor"},"cursor":"x"}',
    "NaN",
    "undefined",
  ],
  ...[
    "",
    " ",
    "\0",
    "\ufeff{}",
    "null",
    "[]",
    "0",
    '"ping"',
    "Ping",
    "ping ",
    "pong",
    "PING",
    '{"type":"ping"}',
    "[".repeat(100_000),
  ],
  ...[`{"type":"${"x".repeat(200_000)}"}`, `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, "€".repeat(60_000)],
);

export type Raw = string | Buffer;

/** What may come over a socket and is no client frame. */
export function strangeFrame(valid: fc.Arbitrary<object>): fc.Arbitrary<Raw> {
  return fc
    .oneof(
      { weight: 6, arbitrary: bent(valid).map((frame) => JSON.stringify(frame)) },
      { weight: 2, arbitrary: strangeValue.map((value) => JSON.stringify(value)) },
      { weight: 2, arbitrary: JSON_TEXT },
      { weight: 1, arbitrary: fc.string({ unit: "grapheme" }) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
      { weight: 1, arbitrary: valid.map((frame) => Buffer.from(JSON.stringify(frame))) },
    )
    .filter((raw) => raw !== "ping" && (typeof raw !== "string" || !isClientFrame(raw)));
}

export function isClientFrame(text: string): boolean {
  try {
    return ClientFrame.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/** The id that a frame carries, where it carries one as the contract has it. */
export function idOf(raw: Raw): number | undefined {
  try {
    const id: unknown = typeof raw === "string" ? JSON.parse(raw)?.id : undefined;
    return typeof id === "number" && Number.isSafeInteger(id) && id >= 0 ? id + 0 : undefined; // -0 comes back as 0
  } catch {
    return undefined;
  }
}
