import { env as bindings } from "cloudflare:workers";
import type { Env } from "../../../src/platform/env.ts";
import { newApp } from "../../../src/platform/http.ts";
import { Problem } from "../../../src/protocol/errors.ts";
import { Session, TokenPair } from "../../../src/protocol/http.ts";
import { mountAuth } from "../../../src/routes/auth.ts";
import { mountContacts } from "../../../src/routes/contacts.ts";
import { mountMe } from "../../../src/routes/me.ts";
import { mountPush } from "../../../src/routes/push.ts";
import { mountUsers } from "../../../src/routes/users.ts";
import { CUT, InboxWire } from "./wires.ts";

/** The bindings of wrangler.toml, local: real D1, objects and limiters. */
export const env = bindings as unknown as Env;
export const PASSWORD = "correct horse battery";

const app = newApp();
for (const mount of [mountAuth, mountMe, mountUsers, mountContacts, mountPush]) mount(app);

type Ask = {
  body?: unknown;
  text?: string;
  token?: string;
  address?: string;
  headers?: Record<string, string>;
  env?: Partial<Env>;
};

/** One request to the account doors, over bindings of which some may be replaced. */
export async function ask(
  method: string,
  path: string,
  { body, text, token, address, headers: also, env: changed }: Ask = {},
) {
  const headers = new Headers({ "content-type": "application/json", ...also });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (address !== undefined) headers.set("cf-connecting-ip", address);
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await app.request(path, { method, headers, body: content ?? null }, { ...env, ...changed });
  const answer = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text: answer,
    json: answer === "" ? null : JSON.parse(answer),
  };
}
export type Answered = Awaited<ReturnType<typeof ask>>;

/** The refusal's code; throws where the answer is no problem document. */
export const codeOf = (answered: Answered): string => {
  const problem = Problem.parse(answered.json);
  if (problem.status !== answered.status) throw new Error("the status differs from the problem's");
  if (!answered.headers.get("content-type")?.startsWith("application/problem+json")) throw new Error("not a problem");
  return problem.code;
};

let made = 0;
/** A handle that no other test of this file has, and that is part of none. */
export const freshHandle = (): string => `user${String(++made).padStart(4, "0")}`;

const inBody = { refreshToken: true } as const;
/** As it is answered to whoever did not ask for a cookie. */
export const WholeSession = Session.required(inBody);
export const WholePair = TokenPair.required(inBody);
export type WholeSession = ReturnType<typeof WholeSession.parse>;

/** Signs somebody up; the answer must fit the contract. */
export async function signUp(handle = freshHandle(), password = PASSWORD): Promise<WholeSession> {
  const body = { handle, password, displayName: handle.toUpperCase(), device: { name: "phone" } };
  const answered = await ask("POST", "/v1/auth/sign-up", { body });
  if (answered.status !== 201) throw new Error(answered.text);
  return WholeSession.parse(answered.json);
}

export const signIn = (handle: string, password = PASSWORD, id?: string, changed?: Partial<Env>): Promise<Answered> =>
  ask("POST", "/v1/auth/sign-in", {
    body: { handle, password, device: { name: "laptop", ...(id ? { id } : {}) } },
    env: changed ?? {},
  });

export const refresh = (refreshToken: string, changed?: Partial<Env>): Promise<Answered> =>
  ask("POST", "/v1/auth/refresh", { body: { refreshToken }, env: changed ?? {} });

/** A database that is away: whatever is asked of it fails, with a message that must not get out. */
export const downDatabase = (): D1Database => {
  const fail = () => {
    throw new Error("D1_ERROR: SELECT secret FROM users: SQLITE_BUSY");
  };
  return { prepare: fail, batch: fail, exec: fail, withSession: fail, dump: fail } as unknown as D1Database;
};

/** Inboxes that cannot be reached. */
export const downInboxes = (): Env["INBOXES"] => new InboxWire(() => Promise.reject(CUT)).inboxes;

/** So long may take on a busy machine what is counted together. */
const COUNTED_WITHIN_MS = 15_000;
/** The local limiters count by the minute of the wall clock: waits when a count begun now might be cut in two. */
export async function awayFromWindowEdge(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < COUNTED_WITHIN_MS) await new Promise((resolve) => setTimeout(resolve, left + 10));
}
