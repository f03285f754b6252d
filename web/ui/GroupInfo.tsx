import { ERRORS } from "../../src/protocol/errors.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { goTo } from "../model/route.ts";
import { ask, tell } from "../model/shows.ts";
import { GroupHead } from "./GroupHead.tsx";
import { GroupRules } from "./GroupRules.tsx";
import { Icon } from "./Icon.tsx";
import { Invites } from "./Invites.tsx";
import { JoinRequests } from "./JoinRequests.tsx";
import { Members } from "./Members.tsx";
import { useSession } from "./session-context.ts";

/** A group: its picture and title, who waits, who is in it, how to come in, what holds there, and how to leave. */
export function GroupInfo({ id }: { id: ConversationId }) {
  const session = useSession();
  const naming = session.naming.value;
  const leave = async () => {
    const answer = await session.call("removeMember", { params: { id, userId: session.me } });
    if (answer.ok) goTo(null);
    else tell(ERRORS[answer.code].title);
  };
  return (
    <>
      <GroupHead id={id} />
      {naming.isAdmin(id) && <JoinRequests id={id} />}
      <Members id={id} />
      {naming.may(id, "adding") && <Invites id={id} />}
      {naming.role(id) && <GroupRules id={id} />}
      {naming.role(id) && (
        <section>
          <button type="button" class="danger" onClick={() => ask("Leave this group?", "Leave", () => void leave())}>
            <Icon name="out" />
            Leave the group
          </button>
        </section>
      )}
    </>
  );
}
