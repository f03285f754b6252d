import { useMemo } from "preact/hooks";
import { type Item, itemsOf } from "../items.ts";
import { Kept } from "../model/kept.ts";
import { openId } from "../model/route.ts";
import { dialog } from "../model/shows.ts";
import { ListItem } from "./ListItem.tsx";
import { useSession } from "./session-context.ts";
import { useGrowing } from "./use-growing.ts";

/** [CL-36] The conversations with what is unread, what is pinned first; the archived ones apart. `query`: only those whose name has it. */
export function ConversationList({ query }: { query: string }) {
  const session = useSession();
  const kept = useMemo(() => new Kept<Item>(), []);
  const items = kept.of(itemsOf(session.list.value, factsOf(session)), ({ id }) => id);
  const wanted = query.trim().toLowerCase();
  const found = items.filter(({ name }) => name.toLowerCase().includes(wanted));
  const archived = found.filter((item) => item.archived);
  const shown = found.filter((item) => !item.archived);
  return (
    <>
      <Rows id="list" items={shown} />
      {archived.length > 0 && (
        <details id="archived">
          <summary>Archived ({archived.length})</summary>
          <Rows items={archived} />
        </details>
      )}
      {items.length === 0 && (
        <div id="list-empty">
          <p class="quiet">No conversations yet.</p>
          <button type="button" class="main" onClick={() => (dialog.value = { is: "new" })}>
            Begin one
          </button>
        </div>
      )}
    </>
  );
}

/** [AP-37] What may be in sight first, and the rest once that is painted, in pieces that each hold the page up for a moment. */
function Rows({ items, id }: { items: readonly Item[]; id?: string }) {
  const drawn = useGrowing(items.length);
  return (
    <ul id={id} class="plain list">
      {items.slice(0, drawn).map((item) => (
        <ListItem key={item.id} item={item} />
      ))}
    </ul>
  );
}

const factsOf = ({ naming, live, me, now, drafts, told }: ReturnType<typeof useSession>) => ({
  ...{ naming: naming.value, live: live.value, me, now: now.value },
  ...{ open: openId.value, drafts: drafts.all.value, waiting: told.all.value.waiting },
});
