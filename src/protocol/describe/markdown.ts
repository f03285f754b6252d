import { LIMITS } from "../limits.ts";
import { ABOUT_SOCKET, SOCKET_PATH } from "./asyncapi.ts";
import {
  type DoorReference,
  type Field,
  type FrameReference,
  type Part,
  type Reference,
  reference,
  type Shape,
} from "./reference.ts";

/** docs/protocol.md: the whole contract on one page, for reading. */
export function protocolMarkdown(from: Reference = reference()): string {
  return [
    "# Edgewise: the protocol",
    "<!-- Made by `npm run docs` from src/protocol/. Do not edit. -->",
    "JSON everywhere. Unknown fields in a request are refused, unknown fields in an answer must be ignored. Times are milliseconds since the epoch.",
    "## HTTP",
    "A refusal is `application/problem+json`, a [Problem](#problem) with one of the [codes](#codes).",
    ...from.areas.flatMap(({ area, doors }) => [`### ${title(area)}`, ...doors.flatMap(door)]),
    "## The socket",
    `\`GET ${SOCKET_PATH}\``,
    ABOUT_SOCKET,
    "### A client sends",
    ...from.clientFrames.flatMap(frame),
    "### The server sends",
    ...from.serverFrames.flatMap(frame),
    "## Schemas",
    ...from.schemas.flatMap(({ name, description, ...shape }) => [`### ${name}`, description, ...contents(shape)]),
    "## Codes",
    table(["code", "status", "again?", "meaning"], from.errors.map(error)),
    "## Close codes",
    table(
      ["code", "reason", "then"],
      from.closes.map(({ code, reason, final }) => [String(code), reason, final ? "final" : "reconnect"]),
    ),
    "1001, 1006, 1011 and 1012 mean: reconnect with full-jitter back-off.",
    "## Limits",
    table(
      ["limit", "at most"],
      Object.entries(LIMITS).map(([name, value]) => [`\`${name}\``, String(value)]),
    ),
  ]
    .filter((block) => block !== "")
    .join("\n\n")
    .concat("\n");
}

export const title = (area: string): string => area.charAt(0).toUpperCase() + area.slice(1);

const error = ({ code, status, retryable, title }: Reference["errors"][number]): string[] => [
  `\`${code}\``,
  String(status),
  retryable ? "yes" : "no",
  title,
];

function door({ method, path, summary, access, params, query, body, answers, refusals }: DoorReference): string[] {
  return [
    `#### \`${method} ${path}\``,
    `${summary}. For: ${access === "anyone" ? "anyone" : `a ${access} token`}.`,
    ...labelled("Path", { type: [], fields: params }),
    ...labelled("Query", { type: [], fields: query }),
    ...(body ? labelled("Body", body) : []),
    ...answers.flatMap(({ status, shape }) =>
      shape ? labelled(`Answers ${status}`, shape) : [`Answers ${status}, no body.`],
    ),
    `Refuses with ${refusals.map((code) => `\`${code}\``).join(", ")}.`,
  ];
}

function frame({ type, summary, fields, answer }: FrameReference): string[] {
  const answered = answer === undefined ? "" : answer === null ? " No answer." : ` Answered by \`${answer}\`.`;
  return [`#### \`${type}\``, summary + answered, fieldTable(fields)];
}

function labelled(label: string, shape: Shape): string[] {
  if (shape.fields.length > 0) return [`${label}:`, fieldTable(shape.fields)];
  return shape.type.length > 0 ? [`${label}: ${words(shape.type)}`] : [];
}

const contents = ({ fields, type }: Shape): string[] => [fields.length > 0 ? fieldTable(fields) : words(type)];

const fieldTable = (fields: Field[]): string =>
  table(
    ["field", "type", ""],
    fields.map(({ name, required, type, description }) => [
      `\`${name}\`${required ? "" : "?"}`,
      words(type),
      description,
    ]),
  );

/** Types in a table cell: a bar would end the cell, and braces or quotes are code. */
const words = (parts: Part[]): string =>
  parts
    .map((part) => (typeof part === "string" ? part : `[${part.ref}](#${part.ref.toLowerCase()})`))
    .join("")
    .replaceAll("|", "\\|");

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
