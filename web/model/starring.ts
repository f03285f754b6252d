import type { Answer } from "../doors.ts";
import type { ConversationId } from "../wire.ts";
import type { Session } from "./session.ts";
import { tried } from "./trying.ts";

let last: Promise<unknown> = Promise.resolve();

/** [ST-1] Puts my star on a message, or takes it off. */
export function star(session: Session, id: ConversationId, seq: number, on: boolean): Promise<boolean> {
  const conversation = session.client.conversations.get(id);
  const done = tried(() => (on ? conversation.star(seq) : conversation.unstar(seq)));
  last = Promise.all([last, done]);
  return done;
}

/** Resolves when the server has said of every star whether it is there: what is listed then has them all. */
export const starsSettled = (): Promise<unknown> => last;

export type StarredMessage = Answer<"stars">["stars"][number];
