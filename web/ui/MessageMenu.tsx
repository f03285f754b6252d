import { useEffect, useRef } from "preact/hooks";
import { QUICK } from "../emoji.ts";
import { openId } from "../model/route.ts";
import { ask, dialog, menu, picker, tell } from "../model/shows.ts";
import { wish } from "../model/wishes.ts";
import type { ShownMessage } from "../shown.ts";
import { Icon, type IconName } from "./Icon.tsx";
import { moveInside, place } from "./open-menu.ts";
import { useSession } from "./session-context.ts";

/** The menu of one message: a reaction, and what else may be done with it. */
export function MessageMenu() {
  const popover = useRef<HTMLDivElement>(null);
  const opened = menu.value;
  useEffect(() => {
    const element = popover.current;
    if (!opened || !element) return;
    element.showPopover();
    place(element, opened.at);
    element.querySelector("button")?.focus();
  }, [opened]);
  return (
    <div
      id="message-menu"
      ref={popover}
      popover="auto"
      role="dialog"
      aria-label="What to do"
      onToggle={(event) => {
        if (event.newState === "closed" && menu.peek() === opened) menu.value = null;
      }}
      onKeyDown={moveInside}
    >
      {opened && (
        <>
          <Quick row={opened.row} at={opened.at} back={opened.back} close={() => popover.current?.hidePopover()} />
          <Acts row={opened.row} close={() => popover.current?.hidePopover()} />
        </>
      )}
    </div>
  );
}

type Props = { row: ShownMessage; close: () => void };

function Quick({ row, close, at, back }: Props & { at: DOMRect; back: HTMLElement | null }) {
  const session = useSession();
  const react = (emoji: string | null) => {
    close();
    if (openId.value && row.seq !== null) session.say(openId.value, { kind: "reaction", targetSeq: row.seq, emoji });
  };
  const mine = row.reactions.find((reaction) => reaction.mine)?.emoji;
  return (
    <div class="quick">
      {QUICK.map(([emoji, name]) => (
        <button
          key={emoji}
          type="button"
          class="bare"
          aria-label={`React with ${name}`}
          aria-pressed={mine === emoji}
          onClick={() => react(mine === emoji ? null : emoji)}
        >
          {emoji}
        </button>
      ))}
      <button
        type="button"
        class="bare"
        aria-label="React with another emoji"
        onClick={() => {
          close();
          picker.value = { at, back, chosen: react };
        }}
      >
        <Icon name="plus" />
      </button>
    </div>
  );
}

function Acts({ row, close }: Props) {
  const session = useSession();
  const id = openId.value;
  if (!id || row.seq === null) return null;
  const { seq } = row;
  const act = (icon: IconName, name: string, then: () => void) => (
    <button
      type="button"
      onClick={() => {
        close();
        then();
      }}
    >
      <Icon name={icon} />
      {name}
    </button>
  );
  const words = row.media ? row.media.caption : row.text;
  const recall = () => session.say(id, { kind: "recall", targetSeq: seq });
  return (
    <>
      {act("reply", "Reply", () => (wish.value = { is: "reply", row }))}
      {words &&
        act(
          "copy",
          "Copy",
          () =>
            void navigator.clipboard.writeText(words).then(
              () => tell("Copied"),
              () => tell("It could not be copied"),
            ),
        )}
      {row.may.edit && act("write", "Edit", () => (wish.value = { is: "edit", row }))}
      {row.isMine && act("info", "Info", () => (dialog.value = { is: "message", id, seq }))}
      {row.may.recall &&
        act("trash", "Delete for everyone", () => ask("Delete this message for everyone?", "Delete", recall))}
    </>
  );
}
