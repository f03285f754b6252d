import { goTo, openId } from "../model/route.ts";
import { ask, tell } from "../model/shows.ts";
import { refusalText } from "../phrases.ts";
import type { ConversationId } from "../wire.ts";
import { GroupHead } from "./GroupHead.tsx";
import { GroupRules } from "./GroupRules.tsx";
import { Icon } from "./Icon.tsx";
import { Invites } from "./Invites.tsx";
import { JoinRequests } from "./JoinRequests.tsx";
import { Members } from "./Members.tsx";
import { useSession } from "./session-context.ts";

/** A group: its picture and title, who waits, who is in it, how to come in, and what holds there. */
export function GroupInfo({ id }: { id: ConversationId }) {
  const session = useSession();
  const naming = session.naming.value;
  return (
    <>
      <GroupHead id={id} />
      {naming.isAdmin(id) && <JoinRequests id={id} />}
      <Members id={id} />
      {naming.may(id, "adding") && <Invites id={id} />}
      {naming.role(id) && <GroupRules id={id} />}
    </>
  );
}

/** How to leave a group. The last of what there is to do with it. */
export function LeaveGroup({ id }: { id: ConversationId }) {
  const session = useSession();
  const leave = async () => {
    goTo(null); // at once: what the server answers later must not close what has been opened meanwhile [AP-33]
    const answer = await session.call("removeMember", { params: { id, userId: session.me } });
    if (answer.ok) return;
    tell(answer.code === "last_admin" ? "Make somebody else an admin first" : refusalText(answer.code));
    if (openId.peek() === null) goTo(id);
  };
  if (!session.naming.value.role(id)) return null;
  return (
    <section>
      <button type="button" class="danger" onClick={() => ask("Leave this group?", "Leave", () => void leave())}>
        <Icon name="out" />
        Leave the group
      </button>
    </section>
  );
}
