import type { Conversation } from "../../src/protocol/http.ts";
import { findPeople } from "../model/people.ts";
import { goTo } from "../model/route.ts";
import { close } from "../model/shows.ts";
import { Dialog } from "./Dialog.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

/** Opens a conversation with one person, or makes a group. */
export function NewConversation() {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const open = (conversation: Conversation) => {
    session.keep(conversation);
    close();
    goTo(conversation.conversationId);
  };
  const openDirect = async (handle: string) => {
    const found = await asked(findPeople(session, handle), { not_found: `Nobody is called ${handle}` });
    const [person] = found?.value ?? [];
    if (!person) return;
    const params = { userId: person.userId };
    const answer = await asked(session.call("openDirect", { params }), { invalid_request: "That is you" });
    if (answer) open(answer.value.conversation);
  };
  const makeGroup = async (title: string, handles: string) => {
    const found = await asked(findPeople(session, handles), { not_found: "One of these handles is nobody's" });
    if (!found) return;
    const memberIds = found.value.map(({ userId }) => userId);
    const answer = await asked(session.call("createGroup", { body: { title, memberIds } }));
    if (answer) open(answer.value.conversation);
  };
  return (
    <Dialog id="new" title="New conversation">
      <form
        class="inline"
        inert={busy.value}
        onSubmit={(event) => {
          event.preventDefault();
          void openDirect(field(event, "handle"));
        }}
      >
        <label>
          Talk to
          <input
            name="handle"
            placeholder="handle"
            autocapitalize="none"
            autocomplete="off"
            spellcheck={false}
            required
            maxLength={64}
          />
        </label>
        <button type="submit" class="main">
          Open
        </button>
      </form>
      <details id="group">
        <summary>New group</summary>
        <form
          inert={busy.value}
          onSubmit={(event) => {
            event.preventDefault();
            void makeGroup(field(event, "title"), field(event, "handles"));
          }}
        >
          <label>
            Title
            <input name="title" required maxLength={100} autocomplete="off" />
          </label>
          <label>
            Handles, with spaces between
            <input name="handles" autocapitalize="none" autocomplete="off" spellcheck={false} />
          </label>
          <button type="submit" class="main">
            Make group
          </button>
        </form>
      </details>
      <p class="problem" role="alert">
        {problem}
      </p>
    </Dialog>
  );
}

const field = ({ currentTarget }: { currentTarget: EventTarget | null }, name: string): string =>
  currentTarget instanceof HTMLFormElement ? String(new FormData(currentTarget).get(name)).trim() : "";
