import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { loadContacts } from "../model/acquaintance.ts";
import { Once } from "../model/once.ts";
import { goTo } from "../model/route.ts";
import { close } from "../model/shows.ts";
import type { Profile } from "../wire.ts";
import { nameOf } from "../words.ts";
import { Dialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import { PeopleFinder } from "./PeopleFinder.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

const DIRECT = { invalid_request: "That is you", forbidden: "They choose who may write to them first" };
const GROUP = {
  forbidden: "Somebody of them chooses who may add them to a group: make it without them, and invite them",
};

/** [AP-22] Opens a conversation with one person, or makes a group. */
export function NewConversation() {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const chosen = useSignal<readonly Profile[]>([]);
  useEffect(() => void loadContacts(session), []);
  const { conversations } = session.client;
  const once = useMemo(() => new Once(session.client.newKey), []);
  const open = ({ id }: { id: string }) => {
    close();
    goTo(id);
  };
  const openDirect = async ({ userId }: Profile) => {
    const answer = await asked(session.answered(conversations.openDirect(userId)), DIRECT);
    if (answer) open(answer.value);
  };
  const makeGroup = async (title: string) => {
    const wanted = { title, memberIds: chosen.value.map(({ userId }) => userId) };
    const answer = await asked(
      session.answered(conversations.createGroup({ ...wanted, idempotencyKey: once.keyOf(wanted) })),
      GROUP,
    );
    if (answer) open(answer.value);
  };
  const without = chosen.value.map(({ userId }) => userId);
  return (
    <Dialog id="new" title="New conversation">
      <div inert={busy.value}>
        <PeopleFinder label="Talk to" act="Open" choose={openDirect} begins />
      </div>
      <details id="group">
        <summary>New group</summary>
        <div class="making" inert={busy.value}>
          <PeopleFinder
            label="Who is in it"
            act="Add"
            without={without}
            choose={(person) => {
              if (!without.includes(person.userId)) chosen.value = [...chosen.value, person];
            }}
          />
          {chosen.value.length > 0 && (
            <ul class="plain chosen" aria-label="In the group">
              {chosen.value.map((person) => (
                <li key={person.userId}>
                  <button
                    type="button"
                    class="chip"
                    onClick={() => (chosen.value = chosen.value.filter((other) => other !== person))}
                  >
                    {nameOf(person)}
                    <Icon name="close" label="take out" />
                  </button>
                </li>
              ))}
            </ul>
          )}
          <form
            class="inline"
            onSubmit={(event) => {
              event.preventDefault();
              void makeGroup(String(new FormData(event.currentTarget).get("title")).trim());
            }}
          >
            <label>
              Title
              <input name="title" required maxLength={100} autocomplete="off" />
            </label>
            <button type="submit" class="main">
              Make group
            </button>
          </form>
        </div>
      </details>
      <p class="problem" role="alert">
        {problem}
      </p>
    </Dialog>
  );
}
