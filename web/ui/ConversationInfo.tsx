import { heldOf } from "../../src/sdk/drawing.ts";
import { ask, tell } from "../model/shows.ts";
import { durationText, RETENTIONS, refusalText } from "../phrases.ts";
import type { ConversationId } from "../wire.ts";
import { plainName } from "../words.ts";
import { Dialog } from "./Dialog.tsx";
import { GroupInfo, LeaveGroup } from "./GroupInfo.tsx";
import { useMine } from "./Header.tsx";
import { Icon } from "./Icon.tsx";
import { PersonActs } from "./PersonInfo.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

/** What there is to know and to set about a conversation, with one person or in a group. */
export function ConversationInfo({ id }: { id: ConversationId }) {
  const { naming } = useSession();
  const peer = naming.value.peer(id);
  return (
    <Dialog id="about" title={plainName(naming.value.title(id))}>
      {peer ? <PersonActs userId={peer} /> : <GroupInfo id={id} />}
      <Spare id={id} />
      <Messages id={id} />
      {!peer && <LeaveGroup id={id} />}
    </Dialog>
  );
}

/** What has no room in the head of the conversation on a phone. */
function Spare({ id }: { id: ConversationId }) {
  const { state } = useSession();
  const { problem, change } = useMine(id);
  const { pinned, archived } = heldOf(state.value, id).mine;
  return (
    <section class="spare-here">
      <div class="row">
        <button type="button" aria-pressed={pinned} onClick={() => void change({ pinned: !pinned })}>
          <Icon name="pin" />
          {pinned ? "Pinned" : "Pin"}
        </button>
        <button type="button" aria-pressed={archived} onClick={() => void change({ archived: !archived })}>
          <Icon name="archive" />
          {archived ? "Archived" : "Archive"}
        </button>
      </div>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}

/** How long messages are kept for everybody, and clearing them for oneself. */
function Messages({ id }: { id: ConversationId }) {
  const session = useSession();
  const { problem, asked } = useAsked();
  const naming = session.naming.value;
  const ms = naming.retentionMs(id);
  const keep = (retentionMs: number) => asked(session.answered(session.chat(id).change({ retentionMs })));
  const clear = async () => {
    const answer = await session.answered(session.chat(id).clear());
    if (!answer.ok) tell(refusalText(answer.code));
  };
  return (
    <section>
      <h3>Messages</h3>
      <label>
        Disappearing messages
        <select
          id="retention"
          value={`${ms}`}
          disabled={!naming.maySetRetention(id)}
          onChange={({ currentTarget }) => void keep(Number(currentTarget.value))}
        >
          {[...new Set([...RETENTIONS, ms])].map((each) => (
            <option key={each} value={`${each}`}>
              {each ? `after ${durationText(each)}` : "off"}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        onClick={() => ask("Remove all messages of this conversation, for you alone?", "Remove", () => void clear())}
      >
        <Icon name="trash" />
        Clear for me
      </button>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
