import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { lineOf } from "../../src/sdk/drawing.ts";
import { contentOf, passOn } from "../model/passing-on.ts";
import { goTo } from "../model/route.ts";
import { close, tell } from "../model/shows.ts";
import type { ConversationId } from "../wire.ts";
import { plainName } from "../words.ts";
import { ConversationAvatar } from "./ConversationAvatar.tsx";
import { Cancel, Dialog } from "./Dialog.tsx";
import { useSession } from "./session-context.ts";

/** [AP-25] Passes a message on to conversations that are chosen here; what it shows is not uploaded again. */
export function Forward({ id, seq }: { id: ConversationId; seq: number }) {
  const session = useSession();
  const content = useMemo(() => contentOf(session, id, seq), []);
  const query = useSignal("");
  const chosen = useSignal<readonly ConversationId[]>([]);
  const busy = useSignal(false);
  const problem = useSignal("");
  const naming = session.naming.value;
  const wanted = query.value.trim().toLowerCase();
  const all = session.list.value
    .filter((listed) => naming.role(listed.id) !== null && naming.may(listed.id, "sending"))
    .map((listed) => ({ id: listed.id, name: plainName(naming.title(listed.id)) }));
  const shown = all.filter(({ name }) => name.toLowerCase().includes(wanted));
  const send = async () => {
    if (!content) return;
    busy.value = true;
    const [first] = chosen.value;
    problem.value = await passOn(session, id, content, chosen.value);
    busy.value = false;
    if (problem.value) return;
    close();
    if (chosen.value.length === 1 && first) goTo(first);
    else tell(`Forwarded to ${chosen.value.length} conversations`);
  };
  const turn = (one: ConversationId, on: boolean) => {
    chosen.value = on ? [...chosen.value, one] : chosen.value.filter((other) => other !== one);
  };
  return (
    <Dialog id="forward" title="Forward to">
      <blockquote>
        <p dir="auto">{content ? lineOf(content).slice(0, 300) : "This message is gone"}</p>
      </blockquote>
      <input
        type="search"
        aria-label="Search conversations"
        placeholder="Search"
        autocomplete="off"
        value={query}
        onInput={({ currentTarget }) => (query.value = currentTarget.value)}
      />
      <ul class="plain picks" aria-label="Conversations">
        {shown.map(({ id: one, name }) => (
          <li key={one}>
            <label class="check">
              <ConversationAvatar name={name} isGroup={naming.isGroup(one)} picture={naming.picture(one)} />
              <bdi>{name}</bdi>
              <input
                type="checkbox"
                checked={chosen.value.includes(one)}
                onChange={({ currentTarget }) => turn(one, currentTarget.checked)}
              />
            </label>
          </li>
        ))}
        {shown.length === 0 && <li class="quiet nothing">No conversation has this name.</li>}
      </ul>
      <p class="problem" role="alert">
        {problem}
      </p>
      <div class="row">
        <Cancel />
        <button
          type="button"
          class="main"
          disabled={busy.value || !content || chosen.value.length === 0}
          onClick={() => void send()}
        >
          {chosen.value.length > 1 ? `Forward to ${chosen.value.length}` : "Forward"}
        </button>
      </div>
    </Dialog>
  );
}
