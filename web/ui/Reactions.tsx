import { openId } from "../model/route.ts";
import type { Session } from "../model/session.ts";
import { namesText } from "../phrases.ts";
import type { ShownMessage } from "../shown.ts";
import type { UserId } from "../wire.ts";
import { mayStillAct } from "./CannotSend.tsx";
import { useSession } from "./session-context.ts";

/** So many of those who reacted are named. */
const NAMED = 6;

/** [AP-50] Whose a reaction is: mine first. */
export function whoText({ naming, me }: Session, who: readonly UserId[]): string {
  const others = who.filter((userId) => userId !== me).map((userId) => naming.value.name(userId));
  return namesText(who.includes(me) ? ["You", ...others] : others, NAMED);
}

/** Taking part in a reaction, and taking one's own back. */
export function Reactions({ row: { reactions, seq } }: { row: ShownMessage }) {
  const session = useSession();
  const mayAct = openId.value !== null && mayStillAct(session, openId.value);
  const react = (emoji: string | null) => {
    if (openId.value && seq !== null) session.say(openId.value, { kind: "reaction", targetSeq: seq, emoji });
  };
  return (
    <ul class="plain reactions" aria-label="Reactions">
      {reactions.map(({ emoji, count, mine, who }) => (
        <li key={emoji}>
          <button
            type="button"
            class="chip"
            tabIndex={-1}
            aria-pressed={mine}
            disabled={!mayAct}
            title={whoText(session, who)}
            aria-label={`${emoji} ${count}${mine ? ", yours" : ""}`}
            onClick={() => react(mine ? null : emoji)}
          >
            {emoji} <span>{count}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
