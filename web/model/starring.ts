import { ERRORS } from "../../src/protocol/errors.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { EdgewiseError } from "../../src/sdk/client/errors.ts";
import type { Answer } from "../doors.ts";
import type { Session } from "./session.ts";
import { tell } from "./shows.ts";

/** [ST-1] Puts my star on a message, or takes it off. */
export async function star(session: Session, id: ConversationId, seq: number, on: boolean): Promise<boolean> {
  const conversation = session.client.conversations.get(id);
  try {
    await (on ? conversation.star(seq) : conversation.unstar(seq));
    return true;
  } catch (error) {
    const code = error instanceof EdgewiseError ? error.code : "unavailable";
    tell(code === "unavailable" ? "The server did not answer" : ERRORS[code].title);
    return false;
  }
}

export type StarredMessage = Answer<"stars">["stars"][number];
