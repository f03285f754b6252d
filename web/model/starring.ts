import { ERRORS } from "../../src/protocol/errors.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import type { Answer } from "../doors.ts";
import type { Session } from "./session.ts";
import { tell } from "./shows.ts";

/** [ST-1] Puts my star on a message, or takes it off. */
export async function star(session: Session, id: ConversationId, seq: number, on: boolean): Promise<boolean> {
  const answer = await session.call(on ? "star" : "unstar", { params: { id, seq: `${seq}` } });
  if (answer.ok) session.told.starred(id, seq, on);
  else tell(answer.code === "unavailable" ? "The server did not answer" : ERRORS[answer.code].title);
  return answer.ok;
}

export type StarredMessage = Answer<"stars">["stars"][number];
