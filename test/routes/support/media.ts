import type { Env } from "../../../src/platform/env.ts";
import type { MediaContent } from "../../../src/protocol/events.ts";
import { Conversation, MediaTicket, type Session } from "../../../src/protocol/http.ts";
import type { ConversationId, MediaId } from "../../../src/protocol/ids.ts";
import worker from "../../../src/worker.ts";
import { bindings, newKey } from "../../objects/support.ts";
import { signUp } from "./accounts.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are checked against their schemas or by matchers
export type Asked = { status: number; json: any; headers: Headers };

/** One request to the whole Worker, over bindings of which some may be replaced. */
export async function ask(
  session: Session,
  method: string,
  path: string,
  body?: unknown,
  changed = {},
): Promise<Asked> {
  const headers = { authorization: `Bearer ${session.accessToken}`, "content-type": "application/json" };
  const init = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
  const env = { ...bindings, ...changed } as Env;
  const response = await worker.fetch(new Request(`https://edgewise.test${path}`, init), env);
  const words = await response.text();
  return { status: response.status, json: words === "" ? null : JSON.parse(words), headers: response.headers };
}

export async function pair(): Promise<{ ann: Session; bob: Session; id: ConversationId }> {
  const [ann, bob] = [await signUp(), await signUp()];
  return { ann, bob, id: await openDirect(ann, bob) };
}
export async function openDirect(ann: Session, bob: Session): Promise<ConversationId> {
  const { json } = await ask(ann, "PUT", `/v1/conversations/direct/${bob.user.userId}`);
  return Conversation.parse(json.conversation).conversationId;
}

export const PICTURE = Uint8Array.from(new TextEncoder().encode("the bytes of a picture"));
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

type File = { bytes?: Uint8Array; contentType?: string };
export async function wishFor(
  conversationId: ConversationId,
  { bytes = PICTURE, contentType = "image/png" }: File = {},
) {
  return { conversationId, contentType, bytes: bytes.length, sha256: await sha256Of(bytes) };
}
export const askUpload = async (who: Session, id: ConversationId, file: File = {}): Promise<MediaTicket> => {
  const { status, json } = await ask(who, "POST", "/v1/media", await wishFor(id, file));
  if (status !== 201) throw new Error(JSON.stringify(json));
  return MediaTicket.parse(json);
};

/** Puts the bytes where the ticket says, as the store does when a client has asked it to. */
export async function upload(who: Session, id: ConversationId, file: File = {}): Promise<MediaId> {
  const { mediaId, upload: place } = await askUpload(who, id, file);
  if (place) await bindings.MEDIA.put(keyOf(place.url), file.bytes ?? PICTURE);
  return mediaId;
}
export const keyOf = (url: string): string => new URL(url).pathname.split("/").at(-1) ?? "";

export const showing = (mediaId: MediaId, { bytes = PICTURE, contentType = "image/png" }: File = {}): MediaContent => ({
  type: "media",
  mediaId,
  contentType,
  bytes: bytes.length,
});
export const saying = (content: object, idempotencyKey = newKey()) => {
  const now = Date.now();
  return { idempotencyKey, composedAt: now, sentAt: now, event: { kind: "message", content } };
};
export const send = (who: Session, id: ConversationId, content: object, key = newKey()): Promise<Asked> =>
  ask(who, "POST", `/v1/conversations/${id}/events`, saying(content, key));
export const headOf = async (who: Session, id: ConversationId): Promise<number> =>
  (await ask(who, "GET", `/v1/conversations/${id}`)).json.conversation.head;
export const see = (who: Session, mediaId: string, changed = {}): Promise<Asked> =>
  ask(who, "GET", `/v1/media/${mediaId}?as=url`, undefined, changed);

// --- pictures of people ---

/** Bytes of their own for each word: the same ones share a place. */
export const face = (word: string, contentType = "image/png"): File => ({
  bytes: Uint8Array.from(new TextEncoder().encode(`face ${word}`)),
  contentType,
});
export const faceWish = async ({ bytes = PICTURE, contentType = "image/png" }: File = {}) => ({
  for: "me",
  contentType,
  bytes: bytes.length,
  sha256: await sha256Of(bytes),
});
/** Uploads a picture of oneself, which nobody sees yet. */
export async function uploadFace(who: Session, file: File = {}): Promise<MediaId> {
  const { status, json } = await ask(who, "POST", "/v1/media", await faceWish(file));
  if (status !== 201) throw new Error(JSON.stringify(json));
  const { mediaId, upload: place } = MediaTicket.parse(json);
  if (place) await bindings.MEDIA.put(keyOf(place.url), file.bytes ?? PICTURE);
  return mediaId;
}
export const setFace = (who: Session, avatarMediaId: MediaId | null, also = {}, changed = {}): Promise<Asked> =>
  ask(who, "PATCH", "/v1/me", { avatarMediaId, ...also }, changed);
