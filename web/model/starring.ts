import type { ConversationId } from "../../src/protocol/ids.ts";
import type { Answer } from "../doors.ts";
import type { Session } from "./session.ts";
import { tried } from "./trying.ts";

/** [ST-1] Puts my star on a message, or takes it off. */
export function star(session: Session, id: ConversationId, seq: number, on: boolean): Promise<boolean> {
  const conversation = session.client.conversations.get(id);
  return tried(() => (on ? conversation.star(seq) : conversation.unstar(seq)));
}

export type StarredMessage = Answer<"stars">["stars"][number];
