import { runDurableObjectAlarm } from "cloudflare:test";
import type { Env } from "../../../src/platform/env.ts";
import { Conversation, type Session } from "../../../src/protocol/http.ts";
import type { ConversationId, IdempotencyKey } from "../../../src/protocol/ids.ts";
import worker from "../../../src/worker.ts";
import { bindings, newKey, text } from "../../objects/support.ts";
import { signUp } from "./accounts.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are checked against their schemas or by matchers
export type Asked = { status: number; json: any };

/** One request to the whole Worker, over bindings of which some may be replaced. */
export async function ask(
  session: Session,
  method: string,
  path: string,
  body?: unknown,
  changed: Partial<Env> = {},
): Promise<Asked> {
  const headers = { authorization: `Bearer ${session.accessToken}`, "content-type": "application/json" };
  const init = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
  const request = new Request(`https://edgewise.test${path}`, init);
  const response = await worker.fetch(request, { ...bindings, ...changed } as Env);
  const words = await response.text();
  return { status: response.status, json: words === "" ? null : JSON.parse(words) };
}

export const opened = ({ json }: Asked) => Conversation.parse(json.conversation);
export const wishOf = (event: unknown, idempotencyKey: IdempotencyKey = newKey()) => {
  const now = Date.now();
  return { idempotencyKey, composedAt: now, sentAt: now, event };
};
/** Says it, and answers its seq. */
export async function say(session: Session, id: ConversationId, words: string): Promise<number> {
  const sent = await ask(session, "POST", `/v1/conversations/${id}/events`, wishOf(text(words)));
  if (sent.status !== 201) throw new Error(JSON.stringify(sent.json));
  return sent.json.seq;
}

export async function openPair(a: Session, b: Session): Promise<ConversationId> {
  return opened(await ask(a, "PUT", `/v1/conversations/direct/${b.user.userId}`)).conversationId;
}
export async function pairUp() {
  const [ann, bob] = [await signUp(), await signUp()];
  return { ann, bob, id: await openPair(ann, bob) };
}
export async function groupOf(maker: Session, ...others: Session[]): Promise<ConversationId> {
  const body = { title: "Team", memberIds: others.map((s) => s.user.userId) };
  return opened(await ask(maker, "POST", "/v1/conversations", body)).conversationId;
}

/** The conversation's alarm: what was said is in history then. */
export const settle = (id: ConversationId) => runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id));
