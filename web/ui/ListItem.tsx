import type { Item } from "../items.ts";
import { waitingText } from "../phrases.ts";
import { ConversationAvatar } from "./ConversationAvatar.tsx";
import { Icon } from "./Icon.tsx";
import { memo } from "./memo.ts";
import { TickSign } from "./Tick.tsx";

/** One conversation in the list. */
export const ListItem = memo(function ListItem({ item }: { item: Item }) {
  return (
    <li>
      <a href={`#${item.id}`} aria-current={item.open ? "true" : undefined}>
        <ConversationAvatar name={item.name} isGroup={item.isGroup} picture={item.picture} whose={item.peer} />
        <strong dir="auto">{item.name}</strong>
        <time class={item.unread > 0 && !item.muted ? "new" : ""}>{item.at}</time>
        <span class="said">
          {item.tick && item.lineIs === "said" && <TickSign tick={item.tick} />}
          {item.lineIs === "draft" && <span class="draft">Draft: </span>}
          <span class={item.lineIs === "typing" ? "line typing" : "line"} dir="auto">
            {item.line}
          </span>
        </span>
        <span class="marks">
          {item.muted && <Icon name="muted" label="muted" />}
          {item.pinned && <Icon name="pin" label="pinned" />}
          {item.waiting > 0 && (
            <span class="asking" title={waitingText(item.waiting)}>
              <Icon name="people" />
              {item.waiting}
              <span class="unseen"> {waitingText(item.waiting).replace(/^\d+ /, "")}</span>
            </span>
          )}
          {item.unread > 0 && (
            <span class={item.muted ? "unread muted" : "unread"}>
              {item.unread}
              <span class="unseen"> unread</span>
            </span>
          )}
        </span>
      </a>
    </li>
  );
});
