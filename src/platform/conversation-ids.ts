import { ConversationId, type UserId } from "../protocol/ids.ts";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The one direct conversation of a pair, whoever asks. A hash, because object names show in dashboards. */
export const directId = (a: UserId, b: UserId): Promise<ConversationId> =>
  derive("d", a < b ? `${a} ${b}` : `${b} ${a}`); // [CV-1]

/** The group that this wish of this maker makes, however often it is repeated. */
export const groupId = (makerId: UserId, wishKey: string): Promise<ConversationId> =>
  derive("g", `${makerId} ${wishKey}`); // [CV-3]

async function derive(kind: "d" | "g", text: string): Promise<ConversationId> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const digits = Array.from(new Uint8Array(hash).subarray(0, 26), (byte) => CROCKFORD[byte & 31]);
  return ConversationId.parse(kind + digits.join(""));
}

/** Two wishes for a group are the same when these are. */
export async function fingerprintOf(wish: unknown): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(wish)));
  return Array.from(new Uint8Array(hash).subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
