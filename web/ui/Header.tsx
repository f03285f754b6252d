import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { heldOf } from "../../src/sdk/drawing.ts";
import { goTo } from "../model/route.ts";
import { dialog, tell } from "../model/shows.ts";
import { isMuted, muteText, presenceText, refusalText, typingText } from "../phrases.ts";
import type { ConversationId } from "../wire.ts";
import { plainName } from "../words.ts";
import { lackText } from "./Connection.tsx";
import { ConversationAvatar } from "./ConversationAvatar.tsx";
import { IconButton } from "./IconButton.tsx";
import { MuteMenu } from "./MuteMenu.tsx";
import { useSession } from "./session-context.ts";

export type Wanted = { mutedUntil?: number | null; mentionsPierce?: boolean; pinned?: boolean; archived?: boolean };

/** Sets something of the conversation for the person alone. */
export function useMine(id: ConversationId) {
  const session = useSession();
  const problem = useSignal("");
  const change = async (wanted: Wanted) => {
    const answer = await session.answered(session.chat(id).set(wanted));
    problem.value = answer.ok ? "" : refusalText(answer.code);
    if (answer.ok && wanted.archived !== undefined)
      tell(wanted.archived ? "Archived: it stands below the others" : "Back among the others");
  };
  return { problem, change };
}

/** The head of the open conversation: what it is called, who types or is there, and what the person has set for it. */
export function Header({ id, find }: { id: ConversationId; find: () => void }) {
  const session = useSession();
  const naming = session.naming.value;
  const { mine } = heldOf(session.state.value, id);
  const { problem, change } = useMine(id);
  const muted = isMuted(mine, session.now.value);
  const title = plainName(naming.title(id));
  return (
    <>
      <header>
        <IconButton icon="back" label="Back to the conversations" id="back" onClick={() => goTo(null)} />
        <ConversationAvatar
          name={title}
          isGroup={naming.isGroup(id)}
          picture={naming.picture(id)}
          whose={naming.peer(id)}
          looks
        />
        <div class="who">
          <h1>
            <button type="button" id="title" dir="auto" onClick={() => (dialog.value = { is: "conversation", id })}>
              {title}
            </button>
          </h1>
          <Status id={id} />
        </div>
        <IconButton icon="search" label="Search here" onClick={find} />
        <IconButton
          icon="pin"
          label="Pin"
          class="spare"
          aria-pressed={mine.pinned}
          onClick={() => void change({ pinned: !mine.pinned })}
        />
        <IconButton
          icon={muted ? "muted" : "bell"}
          label={muteText(mine, session.now.value) || "Mute"}
          id="mute"
          popovertarget="mute-menu"
          data-is={muted ? "muted" : "ringing"}
        />
        <IconButton
          icon="archive"
          label="Archive"
          class="spare"
          aria-pressed={mine.archived}
          onClick={() => void change({ archived: !mine.archived })}
        />
        <MuteMenu mine={mine} change={(wanted) => void change(wanted)} />
      </header>
      <p id="mine-problem" class="problem" role="alert">
        {problem}
      </p>
    </>
  );
}

/** Who types; else who is there; else who is in it. */
function Status({ id }: { id: ConversationId }) {
  const { live, naming, now, connection } = useSession();
  const minute = useSignal(0);
  minute.value;
  now.value;
  useEffect(() => {
    const timer = setInterval(() => (minute.value += 1), 30_000);
    return () => clearInterval(timer);
  }, []);
  const names = naming.value;
  const typists = live.value.typing.filter(({ conversationId }) => conversationId === id);
  const typing = typingText(
    typists.map(({ userId }) => names.name(userId)),
    names.isGroup(id),
  );
  const peer = names.peer(id);
  const presence = live.value.presence.find(({ userId }) => userId === peer);
  const lack = lackText(connection.value);
  return (
    <p id="status" class={typing && !lack ? "quiet typing" : "quiet"}>
      {lack || typing || presenceText(presence, Date.now()) || names.members(id)}
    </p>
  );
}
