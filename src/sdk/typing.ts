import type { ConversationId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import type { Happening } from "./happenings.ts";
import type { Link } from "./link.ts";
import { isCrowd } from "./state.ts";
import type { Turn } from "./turn.ts";

/** While the person goes on, the server is told this often: it would forget it otherwise. Ms. */
export const REPEAT_MS = TIMES.typingMs / 2;

/** What the server was told last: that the person types there, at that time. */
export type Typed = { readonly conversationId: ConversationId; readonly at: number };

/** [CL-31] For those who are there now, and not for a crowd. One that is not said is no loss. */
export function noteTyping(turn: Turn, link: Link | null, { conversationId, active }: Typing): void {
  if (!link?.caughtUp || link.live.shed.includes("typing") || isCrowd(turn.held(conversationId))) return;
  const { typed } = link;
  if (typed && typed.conversationId !== conversationId) tell(turn, link, typed.conversationId, false);
  const isKnown = link.typed !== null && turn.time - link.typed.at < REPEAT_MS;
  if (active ? !isKnown : link.typed !== null) tell(turn, link, conversationId, active);
}
type Typing = Extract<Happening, { type: "typing" }>;

function tell(turn: Turn, link: Link, conversationId: ConversationId, active: boolean): void {
  link.typed = active ? { conversationId, at: turn.time } : null;
  if (link.pace.admits(turn.time)) turn.frames.push({ type: "typing", conversationId, active });
}
