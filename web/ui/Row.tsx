import { openId } from "../model/route.ts";
import type { Session } from "../model/session.ts";
import { menu } from "../model/shows.ts";
import { wish } from "../model/wishes.ts";
import type { Shown, ShownMessage } from "../shown.ts";
import type { UserId } from "../wire.ts";
import { Bubble } from "./Bubble.tsx";
import { whyNot } from "./CannotSend.tsx";
import { isOnLink, onLongPress } from "./long-press.ts";
import { memo } from "./memo.ts";
import { openMenu } from "./open-menu.ts";
import { PersonAvatar } from "./PersonAvatar.tsx";
import { useSession } from "./session-context.ts";
import { onSwipe } from "./swipe.ts";

/** A row of the log, with the day or the line above it. */
export const RowItem = memo(function RowItem({ row }: { row: Shown }) {
  const session = useSession();
  const seq = row.seq ?? undefined;
  if (row.is === "note")
    return (
      <li class="note" data-seq={seq}>
        <Above row={row} />
        <span dir="auto">{row.note}</span>
      </li>
    );
  const classes = ["message", ...(["isMine", "first", "last"] as const).filter((name) => row[name])].join(" ");
  return (
    <li
      class={classes.replace("isMine", "mine")}
      data-tick={row.tick ?? ""}
      data-seq={seq}
      {...menuBy(row)}
      {...onSwipe(() => answer(session, row))}
    >
      <Above row={row} />
      {row.face && <Face userId={row.face} />}
      <Bubble row={row} />
    </li>
  );
});

/** [AP-44] */
function Face({ userId }: { userId: UserId }) {
  const { naming } = useSession();
  return <PersonAvatar userId={userId} name={naming.value.name(userId)} />;
}

function Above({ row: { day, unread } }: { row: Shown }) {
  return (
    <>
      {day && (
        <div class="day">
          <span>{day}</span>
        </div>
      )}
      {unread > 0 && (
        <div class="new-line">
          <span>
            {unread} unread message{unread === 1 ? "" : "s"}
          </span>
        </div>
      )}
    </>
  );
}

function answer(session: Session, row: ShownMessage): void {
  if (menu.value) return; // the finger had stayed before it went on
  if (row.seq !== null && !row.gone && openId.value && !whyNot(session, openId.value))
    wish.value = { is: "reply", row };
}

/** The menu comes by the right button, or by a finger that stays. */
function menuBy(row: ShownMessage) {
  const open = ({ x, y }: { x: number; y: number }) => {
    if (row.seq !== null && !row.gone) openMenu(row, new DOMRect(x, y, 0, 0), null);
  };
  return {
    ...onLongPress(open),
    onContextMenu: (event: MouseEvent) => {
      const isTouch = event instanceof PointerEvent && event.pointerType === "touch";
      const isElse = event.target instanceof Element && event.target.closest("a, img, audio, video");
      if (isTouch ? isOnLink(event.target) : isElse || getSelection()?.isCollapsed === false) return;
      event.preventDefault();
      if (!isTouch) open(event);
    },
  };
}
