import { useRef } from "preact/hooks";
import { ALWAYS_AT, isMuted, muteText } from "../phrases.ts";
import type { Mine } from "../wire.ts";
import type { Wanted } from "./Header.tsx";
import { useSession } from "./session-context.ts";

const HOUR_MS = 3_600_000;

/** For how long a conversation does not ring. */
export function MuteMenu({ mine, change }: { mine: Mine; change: (wanted: Wanted) => void }) {
  const { now } = useSession();
  const menu = useRef<HTMLDivElement>(null);
  const choose = (wanted: Wanted) => {
    menu.current?.hidePopover();
    change(wanted);
  };
  const inHours = (hours: number) => choose({ mutedUntil: Math.round(now.value) + hours * HOUR_MS });
  const muted = isMuted(mine, now.value);
  return (
    <div id="mute-menu" popover="auto" ref={menu}>
      <p class="heading">{muteText(mine, now.value) || "Mute this conversation"}</p>
      {muted && (
        <button type="button" onClick={() => choose({ mutedUntil: null })}>
          Unmute
        </button>
      )}
      <button type="button" onClick={() => inHours(1)}>
        For 1 hour
      </button>
      <button type="button" onClick={() => inHours(8)}>
        For 8 hours
      </button>
      <button type="button" onClick={() => choose({ mutedUntil: ALWAYS_AT })}>
        Always
      </button>
      <label class="check">
        <input
          type="checkbox"
          checked={mine.mentionsPierce}
          onChange={({ currentTarget }) => change({ mentionsPierce: currentTarget.checked })}
        />
        Tell me when I am mentioned
      </label>
    </div>
  );
}
