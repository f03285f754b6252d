import { DOOR_TABLE } from "../client/door-table.ts";
import { isRetryable } from "../client/errors.ts";
import type { DoorName, ErrorCode } from "../client/wire.ts";
import { type Ask, ok, type Table } from "./fake-ask.ts";
import { exportLines, fileOf } from "./fake-export.ts";
import { MEDIA_DOORS } from "./fake-media.ts";
import type { FakeDevice } from "./fake-people.ts";
import { PEOPLE_DOORS } from "./fake-people-doors.ts";
import type { FakeServer } from "./fake-server.ts";
import { TALK_DOORS } from "./fake-talk-doors.ts";

const TABLE: Table = { ...PEOPLE_DOORS, ...TALK_DOORS, ...MEDIA_DOORS, health: () => ok({ status: "ok" }) };

/** Doors that nobody needs to be signed in for. */
const OPEN = new Set<DoorName>(["signUp", "signIn", "exchange", "refresh", "health"]);

/** Answers a request as the real doors do, and says which door did; a door that is not here is `unavailable`. */
export function answerDoor(
  server: FakeServer,
  path: string,
  { method = "GET", headers, body }: RequestInit,
): { door: DoorName | null; response: Response } {
  const [pathname = "", search = ""] = path.split("?");
  for (const door of Object.keys(DOOR_TABLE) as DoorName[]) {
    const [wanted, pattern = ""] = DOOR_TABLE[door].split(" ");
    const params = wanted === method ? matched(pattern, pathname) : null;
    if (!params) continue;
    const token = new Headers(headers).get("authorization")?.replace("Bearer ", "") ?? "";
    const parsed = typeof body === "string" ? JSON.parse(body) : undefined;
    const asked = { server, params, body: parsed, query: new URLSearchParams(search), now: Date.now() };
    return { door, response: answerOf(door, token, asked) };
  }
  return { door: null, response: problem("not_found") };
}

function answerOf(name: DoorName, token: string, asked: Omit<Ask, "device">): Response {
  const { server } = asked;
  const refusal = server.faults.takeRefusal(name);
  if (refusal) return problem(refusal.code, refusal.retryAfterMs);
  const { people } = server;
  if (name === "refresh" && people.isOfErased(asked.body.refreshToken))
    return problem("device_revoked", undefined, true);
  if (!OPEN.has(name) && people.isOfErased(token)) return problem("device_revoked");
  const known = people.whose(token);
  const isTaken = known?.kind === "access" && known.generation >= known.device.accessFrom;
  if (!OPEN.has(name) && !isTaken) return problem(known ? "token_expired" : "unauthenticated");
  const ask = { ...asked, device: known?.device as FakeDevice };
  if (name === "exportMe") return fileOf(exportLines(ask), server.faults.takeCut());
  const answer = TABLE[name]?.(ask);
  if (!answer) return problem("unavailable");
  return answer.ok ? json(200, answer.value) : problem(answer.code);
}

function matched(pattern: string, path: string): Record<string, string> | null {
  const names = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
  const found = new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, "([^/]+)")}$`).exec(path);
  return found ? Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1] ?? "")])) : null;
}

const json = (status: number, value: unknown): Response =>
  new Response(value === null ? null : JSON.stringify(value), {
    status: value === null ? 204 : status,
    headers: { "content-type": "application/json", date: new Date().toUTCString() },
  });

function problem(code: ErrorCode, retryAfterMs?: number, erased = false): Response {
  const after = retryAfterMs === undefined ? {} : { retryAfterMs };
  const body = {
    type: `/docs#${code}`,
    title: code,
    status: 400,
    code,
    detail: "a test wants it so",
    retryable: isRetryable(code),
    ...after,
    ...(erased ? { erased } : {}),
  };
  return new Response(JSON.stringify(body), { status: 400, headers: { "content-type": "application/problem+json" } });
}
