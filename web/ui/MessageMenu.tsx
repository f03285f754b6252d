import { useLayoutEffect, useRef } from "preact/hooks";
import { QUICK } from "../emoji.ts";
import { openId } from "../model/route.ts";
import { ask, dialog, menu, picker, tell } from "../model/shows.ts";
import { star } from "../model/starring.ts";
import { tried } from "../model/trying.ts";
import { wish } from "../model/wishes.ts";
import type { ShownMessage } from "../shown.ts";
import { mayStillAct, whyNot } from "./CannotSend.tsx";
import { Icon, type IconName } from "./Icon.tsx";
import { moveInside, onCloseAsked, place } from "./open-menu.ts";
import { whoText } from "./Reactions.tsx";
import { useSession } from "./session-context.ts";

/**
 * The menu of one message: a reaction, and what else may be done with it. It closes itself, because the browser's own way of closing would
 * take the lifted finger or button that opened it for a click beside it.
 */
export function MessageMenu() {
  const session = useSession();
  const popover = useRef<HTMLDivElement>(null);
  const opened = menu.value;
  const back = useRef<Element | null>(null);
  const close = () => {
    const hadFocus = popover.current?.contains(document.activeElement);
    if (hadFocus && back.current instanceof HTMLElement) back.current.focus();
    menu.value = null;
  };
  useLayoutEffect(() => {
    const element = popover.current;
    if (!opened || !element) return;
    back.current = opened.back ?? document.activeElement;
    const put = () => place(element, opened.at);
    const onPointer = ({ target }: Event) => {
      if (!(target instanceof Node && element.contains(target))) close();
    };
    addEventListener("pointerdown", onPointer, true);
    addEventListener("resize", put);
    element.showPopover();
    put();
    element.querySelector("button")?.focus();
    const unwatch = onCloseAsked(close);
    return () => {
      unwatch();
      removeEventListener("pointerdown", onPointer, true);
      removeEventListener("resize", put);
      element.hidePopover();
    };
  }, [opened]);
  return (
    <div
      id="message-menu"
      ref={popover}
      popover="manual"
      role="dialog"
      aria-label="What to do"
      onKeyDown={(event) => {
        if (event.key === "Tab") close();
        else moveInside(event);
      }}
    >
      {opened && (
        <>
          {!opened.row.gone && openId.value && mayStillAct(session, openId.value) && (
            <Quick row={opened.row} at={opened.at} back={opened.back} close={close} />
          )}
          {opened.row.reactions.length > 0 && <Reacted row={opened.row} />}
          <Acts row={opened.row} close={close} />
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

/** Who has reacted: where there is no pointer, nothing else says so. */
function Reacted({ row }: { row: ShownMessage }) {
  const session = useSession();
  return (
    <ul class="plain reacted" aria-label="Who has reacted">
      {row.reactions.map(({ emoji, who }) => (
        <li key={emoji}>
          {emoji} {whoText(session, who)}
        </li>
      ))}
    </ul>
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
  const remove = () => void tried(() => session.client.conversations.get(id).deleteForMe(seq));
  const forMe = act("trash", "Delete for me", () => ask("Delete this message for you alone?", "Delete", remove));
  if (row.gone) return forMe;
  return (
    <>
      {!whyNot(session, id) && act("reply", "Reply", () => (wish.value = { is: "reply", row }))}
      {act("forward", "Forward", () => (dialog.value = { is: "forward", id, seq }))}
      {act("star", row.starred ? "Take the star off" : "Star", () => void star(session, id, seq, !row.starred))}
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
      {row.may.edit &&
        !whyNot(session, id) &&
        act(
          "write",
          row.media && !row.media.caption ? "Add a caption" : row.media ? "Edit the caption" : "Edit",
          () => (wish.value = { is: "edit", row }),
        )}
      {row.isMine && act("info", "Info", () => (dialog.value = { is: "message", id, seq }))}
      {!row.isMine &&
        act(
          "flag",
          "Report",
          () => (dialog.value = { is: "report", reported: { userId: row.senderId, conversationId: id, seq } }),
        )}
      {forMe}
      {row.may.recall &&
        mayStillAct(session, id) &&
        act("trash", "Delete for everyone", () => ask("Delete this message for everyone?", "Delete", recall))}
    </>
  );
}
