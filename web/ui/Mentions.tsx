import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import type { ConversationId } from "../wire.ts";
import { mentionAt } from "../words.ts";
import { PersonAvatar } from "./PersonAvatar.tsx";
import { useSession } from "./session-context.ts";
import { useWriting } from "./writing-context.ts";

/** So many are offered at a time. */
const OFFERED = 6;

/** [AP-9] In a group, an `@` offers its members by the beginning of their handles and names. */
export function useMentions(id: ConversationId, field: RefObject<HTMLTextAreaElement | null>) {
  const { naming } = useSession();
  const writing = useWriting();
  const at = useSignal<{ from: number; query: string } | null>(null);
  const chosen = useSignal(0);
  const names = naming.value;
  const query = at.value?.query;
  const offered =
    query === undefined || !names.isGroup(id)
      ? []
      : names
          .others(id)
          .map((userId) => ({ userId, handle: names.handle(userId), name: names.name(userId) }))
          .filter(({ handle, name }) =>
            [handle, ...name.split(" ")].some((part) => part.toLowerCase().startsWith(query)),
          )
          .slice(0, OFFERED);
  const end = () => {
    at.value = null;
    chosen.value = 0;
  };
  const choose = (handle: string | undefined) => {
    const from = at.value?.from;
    if (handle === undefined || from === undefined) return;
    const { text } = writing;
    const caret = field.current?.selectionStart ?? text.length;
    const [before, after] = [`${text.slice(0, from)}@${handle} `, text.slice(caret).trimStart()];
    writing.type(before + after);
    writing.focus(before.length);
    end();
  };
  return {
    offered,
    chosen: chosen.value,
    choose,
    end,
    look: () => {
      at.value = mentionAt(field.current?.value ?? "", field.current?.selectionStart ?? 0);
      chosen.value = 0;
    },
    /** Whether the key was for the offered names. */
    key: (event: KeyboardEvent): boolean => {
      if (offered.length === 0) return false;
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (step !== undefined) chosen.value = (chosen.value + step + offered.length) % offered.length;
      else if (event.key === "Enter" || event.key === "Tab") choose(offered[chosen.value]?.handle);
      else if (event.key === "Escape") end();
      else return false;
      event.preventDefault();
      return true;
    },
    aria:
      offered.length > 0
        ? ({
            "aria-autocomplete": "list",
            "aria-controls": "mentions",
            "aria-activedescendant": `mention-${chosen.value}`,
          } as const)
        : {},
  };
}

export function Mentions({ of: { offered, chosen, choose } }: { of: ReturnType<typeof useMentions> }) {
  if (offered.length === 0) return null;
  return (
    <div id="mentions" role="listbox" aria-label="Members">
      {offered.map(({ userId, handle, name }, i) => (
        <div
          key={userId}
          id={`mention-${i}`}
          role="option"
          tabIndex={-1}
          aria-selected={i === chosen}
          onPointerDown={(event) => {
            event.preventDefault();
            choose(handle);
          }}
        >
          <PersonAvatar userId={userId} name={name} />
          <bdi>{name}</bdi>
          {handle !== name && <small class="quiet">@{handle}</small>}
        </div>
      ))}
    </div>
  );
}
