import { openId } from "../model/route.ts";
import type { ShownMessage } from "../shown.ts";
import { mayStillAct } from "./CannotSend.tsx";
import { useSession } from "./session-context.ts";

/** Taking part in a reaction, and taking one's own back. */
export function Reactions({ row: { reactions, seq } }: { row: ShownMessage }) {
  const session = useSession();
  const mayAct = openId.value !== null && mayStillAct(session, openId.value);
  const react = (emoji: string | null) => {
    if (openId.value && seq !== null) session.say(openId.value, { kind: "reaction", targetSeq: seq, emoji });
  };
  return (
    <ul class="plain reactions" aria-label="Reactions">
      {reactions.map(({ emoji, count, mine }) => (
        <li key={emoji}>
          <button
            type="button"
            class="chip"
            tabIndex={-1}
            aria-pressed={mine}
            disabled={!mayAct}
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
