import { ERRORS } from "../../src/protocol/errors.ts";
import type { Content } from "../../src/protocol/events.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { forwarded, heldOf, timelineOf } from "../../src/sdk/index.ts";
import type { Session } from "./session.ts";

/** What a message says now; null: it is gone. */
export function contentOf(session: Session, id: ConversationId, seq: number): Content | null {
  const { events } = heldOf(session.state.peek(), id);
  const lines = timelineOf(events, { me: session.me, wishes: [], now: session.now.peek() });
  const line = lines.find(({ event }) => event.seq === seq);
  return line?.is === "message" && line.content.type !== "gone" ? line.content : null;
}

/**
 * [LM-24] [MD-22] Says it again in other conversations; media is passed on as it lies, without its bytes. Answers what is in the way, for a
 * person: then those that come before have it.
 */
export async function passOn(session: Session, content: Content, to: readonly ConversationId[]): Promise<string> {
  for (const id of to) {
    const own = content.type === "media" ? await ownMedia(session, content, id) : content;
    if (typeof own === "string") return own;
    session.say(id, { kind: "message", content: forwarded(own) });
  }
  return "";
}

type MediaContent = Extract<Content, { type: "media" }>;

async function ownMedia(session: Session, content: MediaContent, id: ConversationId): Promise<MediaContent | string> {
  const answer = await session.call("newMedia", { body: { conversationId: id, from: content.mediaId } });
  if (answer.ok) return { ...content, mediaId: answer.value.mediaId };
  return answer.code === "unavailable" ? "The server did not answer" : ERRORS[answer.code].title;
}
