import { LIMITS } from "../limits.ts";
import { ABOUT_SOCKET, SOCKET_PATH } from "./asyncapi.ts";
import { title } from "./markdown.ts";
import { STYLE } from "./page-style.ts";
import {
  type DoorReference,
  type Field,
  type FrameReference,
  type Named,
  type Part,
  type Reference,
  reference,
  type Shape,
} from "./reference.ts";

/** The /docs page: the contract as plain HTML, without a script and without anything fetched from elsewhere. */
export function protocolPage(from: Reference = reference()): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Edgewise protocol</title>
<style>${STYLE}</style>
</head>
<body>
<nav aria-label="Contents">${navigation(from)}</nav>
<main>
<header>
<h1>Edgewise protocol</h1>
<p>JSON everywhere. Unknown fields in a request are refused, unknown fields in an answer must be ignored. Times are milliseconds since the
epoch. A refusal has a code from <a href="#codes">one closed list</a>, on HTTP as <a href="#Problem">application/problem+json</a>, on the
socket in the <a href="#server-error">error</a> frame. For machines: <a href="/openapi.json">openapi.json</a>,
<a href="/asyncapi.json">asyncapi.json</a>.</p>
</header>
<section id="http"><h2>HTTP</h2>${from.areas.map(area).join("")}</section>
<section id="socket"><h2>Socket</h2>
<p><code>GET ${SOCKET_PATH}</code></p><p>${prose(ABOUT_SOCKET)}</p>
<h3 id="client-frames">A client sends</h3>${from.clientFrames.map((one) => frame(one, "client")).join("")}
<h3 id="server-frames">The server sends</h3>${from.serverFrames.map((one) => frame(one, "server")).join("")}</section>
<section id="schemas"><h2>Schemas</h2>${from.schemas.map(schema).join("")}</section>
<section id="codes"><h2>Codes</h2>${codes(from)}</section>
<section id="close-codes"><h2>Close codes</h2>${closes(from)}
<p>1001, 1006, 1011 and 1012 mean: reconnect with full-jitter back-off.</p></section>
<section id="limits"><h2>Limits</h2>${limits()}</section>
</main>
</body>
</html>
`;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const prose = (text: string): string => escaped(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");

function navigation(from: Reference): string {
  const link = (id: string, text: string) => `<li><a href="#${id}">${text}</a></li>`;
  const areas = from.areas.map(({ area }) => link(`area-${area}`, title(area))).join("");
  const frames = link("client-frames", "A client sends") + link("server-frames", "The server sends");
  const sections =
    link("schemas", "Schemas") + link("codes", "Codes") + link("close-codes", "Close codes") + link("limits", "Limits");
  return `<ul><li><a href="#http">HTTP</a><ul>${areas}</ul></li><li><a href="#socket">Socket</a><ul>${frames}</ul></li>${sections}</ul>`;
}

const area = ({ area, doors }: Reference["areas"][number]): string =>
  `<h3 id="area-${area}">${title(area)}</h3>${doors.map(door).join("")}`;

function door({ name, method, path, summary, access, params, query, body, answers, refusals }: DoorReference): string {
  return `<article id="door-${name}">
<h4><span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code>
${access === "anyone" ? "" : `<span class="access">${access} token</span>`}</h4>
<p>${prose(summary)}.</p>
${labelled("Path", { type: [], fields: params })}${labelled("Query", { type: [], fields: query })}${body ? labelled("Body", body) : ""}
${answers.map(({ status, shape }) => (shape ? labelled(`Answers ${status}`, shape) : `<p class="label">Answers ${status}, no body</p>`)).join("")}
<p class="label">Refuses with</p><p class="refusals">${refusals.map((code) => `<a href="#${code}">${code}</a>`).join(" ")}</p>
</article>`;
}

function frame({ type, summary, fields, answer }: FrameReference, from: "client" | "server"): string {
  const answered = answer
    ? ` Answered by <a href="#server-${answer}">${answer}</a>.`
    : answer === null
      ? " No answer."
      : "";
  return `<article id="${from}-${type}"><h4><code>${type}</code></h4><p>${prose(summary)}${answered}</p>${fieldTable(fields)}</article>`;
}

const schema = ({ name, description, ...shape }: Named): string =>
  `<article id="${name}"><h4><code>${name}</code></h4>${description ? `<p>${prose(description)}</p>` : ""}${contents(shape)}</article>`;

const contents = (shape: Shape): string =>
  shape.fields.length > 0 ? fieldTable(shape.fields) : `<p><code>${words(shape.type)}</code></p>`;

function labelled(label: string, shape: Shape): string {
  return shape.fields.length + shape.type.length === 0 ? "" : `<p class="label">${label}</p>${contents(shape)}`;
}

function fieldTable(fields: Field[]): string {
  const row = ({ name, required, type, description }: Field) =>
    `<tr><th scope="row"><code>${name}</code>${required ? "" : ' <span class="optional">optional</span>'}</th>
<td><code>${words(type)}</code>${description ? `<p>${prose(description)}</p>` : ""}</td></tr>`;
  return `<div class="table"><table><tbody>${fields.map(row).join("")}</tbody></table></div>`;
}

const words = (parts: Part[]): string =>
  parts.map((part) => (typeof part === "string" ? escaped(part) : `<a href="#${part.ref}">${part.ref}</a>`)).join("");

const codes = ({ errors }: Reference): string =>
  grid(
    ["Code", "Status", "Try again?", "Meaning"],
    errors.map(({ code, status, retryable, title }) => [
      code,
      `<code>${code}</code>`,
      `${status}`,
      retryable ? "yes" : "no",
      escaped(title),
    ]),
  );

const closes = ({ closes }: Reference): string =>
  grid(
    ["Code", "Reason", "Then"],
    closes.map(({ code, reason, final }) => [
      `close-${code}`,
      `<code>${code}</code>`,
      reason,
      final ? "final" : "reconnect",
    ]),
  );

const limits = (): string =>
  grid(
    ["Limit", "At most"],
    Object.entries(LIMITS).map(([name, value]) => [`limit-${name}`, `<code>${name}</code>`, String(value)]),
  );

/** A table whose rows have anchors: the first cell of a row is its id. */
function grid(head: string[], rows: string[][]): string {
  const cells = (row: string[]) => row.map((cell) => `<td>${cell}</td>`).join("");
  const body = rows.map(([id, ...row]) => `<tr id="${id}">${cells(row)}</tr>`).join("");
  const columns = head.map((cell) => `<th scope="col">${cell}</th>`).join("");
  return `<div class="table"><table class="grid"><thead><tr>${columns}</tr></thead><tbody>${body}</tbody></table></div>`;
}
