import { blocks, loadAcquaintance } from "../model/acquaintance.ts";
import type { Session } from "../model/session.ts";
import { tell } from "../model/shows.ts";
import { refusalText } from "../phrases.ts";
import type { ConversationId } from "../wire.ts";
import { useSession } from "./session-context.ts";

/** Why nothing can be said here just now; empty: it can. [GR-9] [BL-3] */
export function whyNot({ naming }: Session, id: ConversationId): "" | keyof typeof WORDS {
  const peer = naming.value.peer(id);
  if (naming.value.role(id) === null) return "left";
  if (!naming.value.may(id, "sending")) return "admins";
  return peer !== null && blocks.value.some(({ userId }) => userId === peer) ? "blocked" : "";
}

/** Whether messages that are here can still be reacted to and taken back. [GR-9] */
export const mayStillAct = (session: Session, id: ConversationId): boolean => {
  const why = whyNot(session, id);
  return why === "" || why === "admins";
};

const WORDS = {
  left: "You are not in this group any more.",
  admins: "Admins alone send messages here.",
  blocked: "You block them.",
} as const;

/** [AP-28] Stands in the place of the field, and says why. */
export function CannotSend({ id, why }: { id: ConversationId; why: keyof typeof WORDS }) {
  const session = useSession();
  const unblock = async () => {
    const userId = session.naming.value.peer(id);
    if (!userId) return;
    const answer = await session.call("unblock", { params: { userId } });
    if (answer.ok) await loadAcquaintance(session);
    else tell(refusalText(answer.code));
  };
  return (
    <p class="left quiet">
      {WORDS[why]}
      {why === "blocked" && (
        <button type="button" class="link" onClick={() => void unblock()}>
          Unblock
        </button>
      )}
    </p>
  );
}
