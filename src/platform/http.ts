import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import type * as z from "zod";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Door } from "../protocol/http.ts";
import { LIMITS } from "../protocol/limits.ts";
import { type Result, refuse } from "../protocol/result.ts";
import { Unavailable } from "../storage/reach.ts";
import type { Env } from "./env.ts";
import { log } from "./log.ts";
import { problem } from "./problem.ts";
import { limitDevice } from "./rate-limit.ts";
import { authenticate, authenticateOperator, type Caller } from "./tokens.ts";

export type AppEnv = { Bindings: Env };

type Input<S> = S extends z.ZodType ? z.output<S> : undefined;
/** What a handler is given: everything parsed, the caller known. Trusted from here on. */
export type Visit<D extends Door> = {
  c: Context<AppEnv>;
  env: Env;
  caller: D["access"] extends "device" ? Caller : undefined;
  params: Input<D["params"]>;
  query: Input<D["query"]>;
  body: Input<D["body"]>;
};
/** One of the door's success answers. */
export type Answer<D extends Door> = {
  [S in keyof D["answers"] & number]: {
    status: S;
    body: D["answers"][S] extends z.ZodType<infer T> ? T : null;
    headers?: Readonly<Record<string, string>>;
  };
}[keyof D["answers"] & number];

/** Mounts a door: authenticates, parses strictly, calls the handler, and answers its Result. `Response` is for streams and raw JSON. */
export function mount<D extends Door>(
  app: Hono<AppEnv>,
  door: D,
  handler: (visit: Visit<D>) => Promise<Result<Answer<D>, ErrorCode> | Response>,
): void {
  app.on(door.method.toUpperCase(), pathOf(door), async (c) => {
    const visit = await admit(c, door);
    if (!visit.ok) return problem(visit);
    const answer = await handler(visit.value as Visit<D>);
    if (answer instanceof Response) return answer;
    if (!answer.ok) return problem(answer);
    const { status, body, headers = {} } = answer.value;
    const init = { status, headers };
    return body === null ? new Response(null, init) : Response.json(body, init);
  });
}

async function admit(c: Context<AppEnv>, door: Door): Promise<Result<unknown, ErrorCode>> {
  const caller = await callerOf(c, door);
  if (!caller.ok) return caller;
  const params = parse(door.params, c.req.param());
  if (!params.ok) return params;
  const query = parse(door.query, singleValued(new URL(c.req.url).searchParams));
  if (!query.ok) return query;
  const json = door.body ? await readJson(c.req.raw) : { ok: true as const, value: undefined };
  if (!json.ok) return json;
  const body = parse(door.body, json.value);
  if (!body.ok) return body;
  const visit = { c, env: c.env, caller: caller.value, params: params.value, query: query.value, body: body.value };
  return { ok: true, value: visit };
}

async function callerOf(c: Context<AppEnv>, door: Door): Promise<Result<Caller | undefined, ErrorCode>> {
  if (door.access === "device") return signedIn(c);
  if (door.access === "operator") return authenticateOperator(c.env, c.req.header("authorization"));
  return { ok: true, value: undefined };
}

async function signedIn({ env, req }: Context<AppEnv>): Promise<Result<Caller, ErrorCode>> {
  const caller = await authenticate(env, req.header("authorization"), Date.now());
  if (!caller.ok) return caller;
  const allowed = await limitDevice(env, caller.value.deviceId);
  return allowed.ok ? caller : allowed;
}

/** A query parameter given twice is not silently the first or the last one: it does not fit the schema. */
function singleValued(search: URLSearchParams): Record<string, string | string[]> {
  return Object.fromEntries(
    [...new Set(search.keys())].map((key) => {
      const all = search.getAll(key);
      return [key, all.length === 1 ? (all[0] as string) : all];
    }),
  );
}

/** Parses with the schema; the detail names the field, never the value that was sent. */
export function parse<S extends z.ZodType>(
  schema: S | undefined,
  value: unknown,
): Result<z.output<S>, "invalid_request"> {
  if (!schema) return { ok: true, value: undefined as z.output<S> };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".") || "the request";
  return refuse("invalid_request", `${where}: ${issue?.code ?? "invalid"}`.slice(0, 200));
}

async function readJson(request: Request): Promise<Result<unknown, "invalid_request" | "payload_too_large">> {
  const text = await readText(request, LIMITS.bodyBytes);
  if (text === null) return refuse("payload_too_large", `a body holds at most ${LIMITS.bodyBytes} bytes`);
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return refuse("invalid_request", "the body is not JSON");
  }
}

/** Reads a body of at most `limit` bytes; null where there is more, without reading on. */
async function readText(request: Request, limit: number): Promise<string | null> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) return null;
  if (!request.body) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > limit) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What is asked of a door by a method that it does not take. Mounted after all doors. */
export function refuseOtherMethods(app: Hono<AppEnv>, doors: readonly Door[]): void {
  for (const [path, same] of Map.groupBy(doors, (door) => pathOf(door))) {
    const allow = same.map((door) => door.method.toUpperCase()).join(", ");
    app.all(path, () => {
      const refused = problem(refuse("method_not_allowed"));
      refused.headers.set("allow", allow);
      return refused;
    });
  }
}

const pathOf = (door: Door): string => door.path.replaceAll(/\{(\w+)\}/g, ":$1");

/**
 * Pages of any origin may call: what authorises is the bearer token, which no browser sends by itself. Answers hold tokens and messages,
 * so nobody on the way keeps them. The socket is not among these paths: an upgrade has no headers of ours.
 */
async function apiHeaders(c: Context<AppEnv>, next: () => Promise<void>): Promise<Response | undefined> {
  if (c.req.path === "/v1/socket") return void (await next());
  const refused = await allowAnyOrigin(c, next);
  c.header("cache-control", "no-store");
  c.header("x-content-type-options", "nosniff");
  return refused ?? undefined;
}
const allowAnyOrigin = cors({
  origin: "*",
  allowHeaders: ["authorization", "content-type"],
  exposeHeaders: ["retry-after"],
  maxAge: 86_400,
});

/** An app whose unknown paths and bugs answer with a code, too. Doors are mounted on it. */
export function newApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use("/v1/*", apiHeaders);
  app.notFound(() => problem(refuse("not_found")));
  app.onError((error) => {
    log.error("request_failed", { error });
    if (error instanceof Unavailable) return problem(refuse("unavailable")); // [AC-24]
    return problem(refuse("internal"));
  });
  return app;
}
