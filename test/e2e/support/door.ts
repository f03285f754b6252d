import * as z from "zod";
import { ERRORS, Problem } from "../../../src/protocol/errors.ts";
import { DOORS, type DoorName } from "../../../src/protocol/http.ts";
import { PATIENCE_MS } from "./patience.ts";

/** What a call sends; everything is optional, and nothing is checked before it leaves. */
export type Call = {
  params?: Record<string, string>;
  query?: Record<string, string | number>;
  body?: unknown;
  token?: string;
};
export type Refused = { ok: false; status: number; problem: Problem };
export type Answered<D extends DoorName> = Refused | { ok: true; status: number; body: Body<D> };
type Body<D extends DoorName> = {
  [S in keyof (typeof DOORS)[D]["answers"]]: (typeof DOORS)[D]["answers"][S] extends z.ZodType<infer T> ? T : null;
}[keyof (typeof DOORS)[D]["answers"]];

/** Calls a door and holds the answer against the contract: the schema of its status, or a problem of the closed list. Throws where it does not fit. */
export async function call<D extends DoorName>(url: string, name: D, sent: Call = {}): Promise<Answered<D>> {
  const response = await fetch(url + pathOf(name, sent), {
    method: DOORS[name].method.toUpperCase(),
    headers: { ...bearer(sent.token), ...(sent.body === undefined ? {} : { "content-type": "application/json" }) },
    ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return read(name, response);
}

async function read<D extends DoorName>(name: D, response: Response): Promise<Answered<D>> {
  const text = await response.text();
  const { status } = response;
  const answers: Readonly<Record<number, z.ZodType | null>> = DOORS[name].answers;
  if (!(status in answers)) return { ok: false, status, problem: problemOf(response, text) };
  const schema = answers[status];
  // The door's own schema has just said what this is; TypeScript cannot follow the index.
  const body = (
    schema
      ? schema.parse(JSON.parse(text))
      : z
          .literal("")
          .transform(() => null)
          .parse(text)
  ) as Body<D>;
  return { ok: true, status, body };
}

/** Holds a refusal against the contract; throws, quoting the answer, where it does not fit. */
export function problemOf(response: Response, text: string): Problem {
  const what = `${response.status} ${response.url}: ${text.slice(0, 300)}`;
  if (response.headers.get("content-type") !== "application/problem+json") throw new Error(`not a problem: ${what}`);
  const problem = Problem.strict().parse(JSON.parse(text));
  const { status, retryable } = ERRORS[problem.code];
  const fits = response.status === status && problem.status === status && problem.retryable === retryable;
  if (!fits) throw new Error(`the status does not fit the code: ${what}`);
  return problem;
}

/** The answer of a call that must succeed; throws, naming the code, when it was refused. */
export async function must<D extends DoorName>(url: string, name: D, sent: Call = {}): Promise<Body<D>> {
  const answer = await call(url, name, sent);
  if (!answer.ok) throw new Error(`${name} was refused: ${answer.problem.code}: ${answer.problem.detail}`);
  return answer.body;
}

function pathOf(name: DoorName, { params = {}, query = {} }: Call): string {
  const path = DOORS[name].path.replaceAll(/\{(\w+)\}/g, (_, key) => encodeURIComponent(params[key] ?? ""));
  const search = new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)])).toString();
  return search ? `${path}?${search}` : path;
}

const bearer = (token: string | undefined): Record<string, string> =>
  token ? { authorization: `Bearer ${token}` } : {};
