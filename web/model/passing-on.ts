import { heldOf, timelineOf } from "../../src/sdk/drawing.ts";
import { answered } from "../doors.ts";
import { refusalText } from "../phrases.ts";
import type { Content, ConversationId } from "../wire.ts";
import type { Session } from "./session.ts";

/** What a message says now; null: it is gone. */
export function contentOf(session: Session, id: ConversationId, seq: number): Content | null {
  const { events } = heldOf(session.state.peek(), id);
  const lines = timelineOf(events, { me: session.me, wishes: [], now: session.now.peek() });
  const line = lines.find(({ event }) => event.seq === seq);
  return line?.is === "message" && line.content.type !== "gone" ? line.content : null;
}

/**
 * [LM-24] [MD-22] Says what `from` says again in other conversations; media is passed on as it lies, without its bytes. Answers what is in the
 * way, for a person: then those that come before have it.
 */
export async function passOn(
  session: Session,
  from: ConversationId,
  content: Content,
  to: readonly ConversationId[],
): Promise<string> {
  for (const id of to) {
    const passed = await answered(session.chat(from).forward({ content }, id));
    if (!passed.ok) return refusalText(passed.code);
  }
  return "";
}
