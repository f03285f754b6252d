import { ConversationId, InviteCode } from "../protocol/ids.ts";

/** [IV-1] 128 random bits behind the name of the group, so that no list of codes is needed to find it. */
export function newInviteCode(id: ConversationId): InviteCode {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const secret = btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
  return InviteCode.parse(id.slice(1) + secret);
}

export const groupOfInvite = (code: InviteCode): ConversationId => ConversationId.parse(`g${code.slice(0, 26)}`);
