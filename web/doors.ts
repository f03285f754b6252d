import type * as z from "zod";
import type { ErrorCode } from "../src/protocol/errors.ts";
import { Problem } from "../src/protocol/errors.ts";
import { DOORS, type DoorName } from "../src/protocol/http.ts";
import { type Result, refuse } from "../src/protocol/result.ts";

type Doors = typeof DOORS;
/** What a door answers when it does not refuse. */
export type Answer<D extends DoorName> = {
  [S in keyof Doors[D]["answers"]]: Doors[D]["answers"][S] extends z.ZodType<infer T> ? T : null;
}[keyof Doors[D]["answers"]];
export type Call = {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  token?: string;
};
export type Called<D extends DoorName> = Result<Answer<D>, ErrorCode> & { serverTime: number };

/**
 * Calls a door of the server that this page came from. No answer, or one that cannot be read, is `unavailable`. `serverTime`: epoch ms
 * by the server's clock, to the second; by ours where it does not say.
 */
export async function call<D extends DoorName>(name: D, { params, query, body, token }: Call = {}): Promise<Called<D>> {
  const path = DOORS[name].path.replaceAll(/\{(\w+)\}/g, (_, key) => encodeURIComponent(params?.[key] ?? ""));
  const headers = new Headers(body === undefined ? {} : { "content-type": "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  try {
    const response = await fetch(query ? `${path}?${new URLSearchParams(query)}` : path, {
      method: DOORS[name].method.toUpperCase(),
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const serverTime = Date.parse(response.headers.get("date") ?? "") || Date.now();
    return { ...(await read(name, response)), serverTime };
  } catch {
    return { ...refuse("unavailable", "The server did not answer"), serverTime: Date.now() };
  }
}

async function read<D extends DoorName>(name: D, response: Response): Promise<Result<Answer<D>, ErrorCode>> {
  const text = await response.text();
  const answers: Readonly<Record<number, z.ZodType | null>> = DOORS[name].answers;
  if (!(response.status in answers)) {
    const { code, detail } = Problem.parse(JSON.parse(text));
    return refuse(code, detail);
  }
  const value = answers[response.status]?.parse(JSON.parse(text)) ?? null;
  // The door's own schema has just said what this is; TypeScript cannot follow the index.
  return { ok: true, value: value as Answer<D> };
}
