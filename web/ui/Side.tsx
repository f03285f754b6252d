import { useSignal } from "@preact/signals";
import { incoming } from "../model/acquaintance.ts";
import { dialog } from "../model/shows.ts";
import { Connection } from "./Connection.tsx";
import { ConversationList } from "./ConversationList.tsx";
import { Icon } from "./Icon.tsx";
import { IconButton } from "./IconButton.tsx";
import { PersonAvatar } from "./PersonAvatar.tsx";
import { SearchResults } from "./SearchResults.tsx";
import { useSession } from "./session-context.ts";

/** Who I am, how the connection is, and my conversations. */
export function Side() {
  const { me, handle, naming } = useSession();
  const query = useSignal("");
  return (
    <section id="side" aria-labelledby="side-title">
      <h1 id="side-title" class="unseen">
        Conversations
      </h1>
      <header>
        <PersonAvatar userId={me} name={handle} told={naming.value.face(me)} />
        <div class="who">
          <strong id="my-handle">{handle}</strong>
          <Connection />
        </div>
        <IconButton icon="star" label="Starred messages" onClick={() => (dialog.value = { is: "stars" })} />
        <span class="badged">
          <IconButton
            icon="people"
            label="Contacts"
            aria-describedby={incoming.value > 0 ? "contacts-asking" : undefined}
            onClick={() => (dialog.value = { is: "contacts" })}
          />
          {incoming.value > 0 && (
            <span id="contacts-asking" class="unread">
              {incoming}
              <span class="unseen"> ask to be your contact</span>
            </span>
          )}
        </span>
        <IconButton icon="settings" label="Settings" onClick={() => (dialog.value = { is: "settings" })} />
        <IconButton icon="write" label="New conversation" onClick={() => (dialog.value = { is: "new" })} />
      </header>
      <div class="search">
        <Icon name="search" />
        <input
          type="search"
          id="search"
          aria-label="Search"
          placeholder="Search"
          autocomplete="off"
          maxLength={200}
          value={query}
          onInput={({ currentTarget }) => (query.value = currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") query.value = "";
          }}
        />
      </div>
      <nav aria-label="Conversations" onKeyDown={moveAlong}>
        <ConversationList query={query.value} />
        {query.value.trim() !== "" && <SearchResults query={query.value.trim()} />}
      </nav>
    </section>
  );
}

/** The arrows lead from one conversation to the next. */
function moveAlong(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>(".list a")];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = step === undefined || at < 0 ? undefined : links[at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
