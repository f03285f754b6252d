import type * as z from "zod";
import { ERRORS, type ErrorCode } from "../src/protocol/errors.ts";
import type { DOORS, DoorName } from "../src/protocol/http.ts";
import { type Result, refuse } from "../src/protocol/result.ts";
import { isFields } from "./checks.ts";

type Doors = typeof DOORS;

/** The doors that the page calls. TypeScript holds each line to what the contract says of the door. [AP-3] */
const PATHS = {
  signUp: "post /v1/auth/sign-up",
  signIn: "post /v1/auth/sign-in",
  refresh: "post /v1/auth/refresh",
  signOut: "post /v1/auth/sign-out",
  me: "get /v1/me",
  changeMe: "patch /v1/me",
  devices: "get /v1/me/devices",
  revokeDevice: "delete /v1/me/devices/{deviceId}",
  findUser: "get /v1/users",
  findPeople: "get /v1/users/search",
  user: "get /v1/users/{userId}",
  contacts: "get /v1/contacts",
  putContact: "put /v1/contacts/{userId}",
  removeContact: "delete /v1/contacts/{userId}",
  blocks: "get /v1/blocks",
  block: "put /v1/blocks/{userId}",
  unblock: "delete /v1/blocks/{userId}",
  openDirect: "put /v1/conversations/direct/{userId}",
  createGroup: "post /v1/conversations",
  conversations: "get /v1/conversations",
  conversation: "get /v1/conversations/{id}",
  changeConversation: "patch /v1/conversations/{id}",
  clearConversation: "delete /v1/conversations/{id}",
  changeMine: "patch /v1/conversations/{id}/mine",
  putMember: "put /v1/conversations/{id}/members/{userId}",
  removeMember: "delete /v1/conversations/{id}/members/{userId}",
  createInvite: "post /v1/conversations/{id}/invites",
  invites: "get /v1/conversations/{id}/invites",
  revokeInvite: "delete /v1/conversations/{id}/invites/{code}",
  join: "post /v1/invites/{code}/join",
  invite: "get /v1/invites/{code}",
  joinRequests: "get /v1/conversations/{id}/requests",
  acceptRequest: "put /v1/conversations/{id}/requests/{userId}",
  dropRequest: "delete /v1/conversations/{id}/requests/{userId}",
  eventReceipts: "get /v1/conversations/{id}/events/{seq}/receipts",
  trace: "get /v1/conversations/{id}/events/{seq}/trace",
  star: "put /v1/conversations/{id}/events/{seq}/star",
  unstar: "delete /v1/conversations/{id}/events/{seq}/star",
  stars: "get /v1/stars",
  newMedia: "post /v1/media",
  media: "get /v1/media/{mediaId}",
  upload: "get /v1/media/{mediaId}/upload",
  tellParts: "post /v1/media/{mediaId}/upload/parts",
  completeUpload: "post /v1/media/{mediaId}/upload/complete",
  search: "get /v1/search",
  report: "post /v1/reports",
  pushKey: "get /v1/push/key",
  subscribePush: "put /v1/push/subscription",
  unsubscribePush: "delete /v1/push/subscription",
} as const satisfies { [D in DoorName]?: `${Doors[D]["method"]} ${Doors[D]["path"]}` };
export type PageDoor = keyof typeof PATHS;

/** What a door answers when it does not refuse. */
export type Answer<D extends PageDoor> = {
  [S in keyof Doors[D]["answers"]]: Doors[D]["answers"][S] extends z.ZodType<infer T> ? T : null;
}[keyof Doors[D]["answers"]];
export type Call = {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  token?: string;
};
export type Called<D extends PageDoor> = Result<Answer<D>, ErrorCode> & { serverTime: number };

/**
 * Calls a door of the server that this page came from, which is believed to answer as the contract says. No answer, or one that is no JSON, is
 * `unavailable`. `serverTime`: epoch ms by the server's clock, to the second; by ours where it does not say.
 */
export async function call<D extends PageDoor>(name: D, { params, query, body, token }: Call = {}): Promise<Called<D>> {
  const [method = "", template = ""] = PATHS[name].split(" ");
  const path = template.replaceAll(/\{(\w+)\}/g, (_, key) => encodeURIComponent(params?.[key] ?? ""));
  const headers = new Headers(body === undefined ? {} : { "content-type": "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  try {
    const response = await fetch(query ? `${path}?${new URLSearchParams(query)}` : path, {
      method: method.toUpperCase(),
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const serverTime = Date.parse(response.headers.get("date") ?? "") || Date.now();
    return { ...(await read<D>(response)), serverTime };
  } catch {
    return { ...refuse("unavailable", "The server did not answer"), serverTime: Date.now() };
  }
}

async function read<D extends PageDoor>(response: Response): Promise<Result<Answer<D>, ErrorCode>> {
  const text = await response.text();
  const value: unknown = text === "" ? null : JSON.parse(text);
  // The server that made this page keeps its contract: what it answers is what the door's schema says.
  if (response.ok) return { ok: true, value: value as Answer<D> };
  const code = isFields(value) && typeof value.code === "string" ? value.code : "";
  return isCode(code) ? refuse(code) : refuse("unavailable", "The server did not answer");
}

const isCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);
