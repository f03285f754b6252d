import { ERRORS } from "../../src/protocol/errors.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { goTo } from "../model/route.ts";
import { ask, tell } from "../model/shows.ts";
import { Icon } from "./Icon.tsx";
import { Invites } from "./Invites.tsx";
import { Members } from "./Members.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

/** A group: its title, who is in it, how to come in, and how to leave. */
export function GroupInfo({ id }: { id: ConversationId }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const naming = session.naming.value;
  const isAdmin = naming.isAdmin(id);
  const rename = async (title: string) => {
    const answer = await asked(session.call("changeConversation", { params: { id }, body: { title } }));
    if (answer) session.keep(answer.value.conversation);
  };
  const leave = async () => {
    const answer = await session.call("removeMember", { params: { id, userId: session.me } });
    if (answer.ok) goTo(null);
    else tell(ERRORS[answer.code].title);
  };
  return (
    <>
      {isAdmin && (
        <form
          class="inline"
          inert={busy.value}
          onSubmit={(event) => {
            event.preventDefault();
            void rename(String(new FormData(event.currentTarget).get("title")).trim());
          }}
        >
          <label>
            Title
            <input name="title" required maxLength={100} autocomplete="off" defaultValue={naming.title(id)} />
          </label>
          <button type="submit">Rename</button>
        </form>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
      <Members id={id} />
      {isAdmin && <Invites id={id} />}
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
