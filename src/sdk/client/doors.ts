import type { Fetch } from "./api.ts";
import { DOOR_TABLE } from "./door-table.ts";
import { EdgewiseError } from "./errors.ts";
import type { DoorName, Doors, ErrorCode } from "./wire.ts";

/** A request without an answer is given up after this. Ms. */
const ANSWER_WITHIN_MS = 20_000;

export type Sent = {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
};
/** `serverTime`: epoch ms by the server's clock, to the second; by ours where it does not say. */
export type Answered<D extends DoorName> = { readonly value: Doors[D]["answer"]; readonly serverTime: number };
export type Way = { readonly url: string; readonly fetch: Fetch };

/** Calls a door. Throws an `EdgewiseError`; no answer, or one that cannot be read, is `unavailable`. */
export async function callDoor<D extends DoorName>(
  way: Way,
  name: D,
  sent: Sent,
  token: string | null,
): Promise<Answered<D>> {
  try {
    const response = await openDoor(way, name, sent, token, AbortSignal.timeout(ANSWER_WITHIN_MS));
    const serverTime = Date.parse(response.headers.get("date") ?? "") || Date.now();
    const text = await response.text();
    // The server holds its answers to the schemas that these types are made from.
    return { value: (text === "" ? null : JSON.parse(text)) as Doors[D]["answer"], serverTime };
  } catch (error) {
    throw error instanceof EdgewiseError ? error : new EdgewiseError("unavailable", { detail: "there was no answer" });
  }
}

/** Asks a door, and leaves it to the caller to read what comes. Throws an `EdgewiseError` for a refusal, and what `fetch` throws. */
export async function openDoor(
  { url, fetch }: Way,
  name: DoorName,
  sent: Sent,
  token: string | null,
  signal: AbortSignal,
): Promise<Response> {
  const [method = ""] = DOOR_TABLE[name].split(" ");
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const init: RequestInit = { method, headers, signal };
  if (method !== "GET" && sent.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(sent.body);
  }
  const response = await fetch(url + pathOf(name, sent), init);
  if (!response.ok) throw refusalIn(await response.text());
  return response;
}

export function pathOf(name: DoorName, { params = {}, query = {} }: Sent): string {
  const [, template = ""] = DOOR_TABLE[name].split(" ");
  const path = template.replace(/\{(\w+)\}/g, (_, key) => encodeURIComponent(String(params[key] ?? "")));
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
}

function refusalIn(text: string): EdgewiseError {
  const problem = JSON.parse(text) as Partial<EdgewiseError> & { code: ErrorCode; retryAfterMs?: number };
  return new EdgewiseError(typeof problem.code === "string" ? problem.code : "unavailable", problem);
}
