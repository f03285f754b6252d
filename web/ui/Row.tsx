import type { Shown, ShownMessage } from "../shown.ts";
import { Bubble } from "./Bubble.tsx";
import { memo } from "./memo.ts";
import { openMenu } from "./open-menu.ts";

/** Held for so long, a finger asks for the menu. Ms. */
const LONG_MS = 480;

/** A row of the log, with the day or the line above it. */
export const RowItem = memo(function RowItem({ row }: { row: Shown }) {
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
    <li class={classes.replace("isMine", "mine")} data-tick={row.tick ?? ""} data-seq={seq} {...menuBy(row)}>
      <Above row={row} />
      <Bubble row={row} />
    </li>
  );
});

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

/** The menu comes by the right button, or by a finger that stays. */
function menuBy(row: ShownMessage) {
  let timer = 0;
  const stop = () => clearTimeout(timer);
  const open = (target: EventTarget | null, x: number, y: number) => {
    if (row.seq !== null && !row.gone)
      openMenu(row, new DOMRect(x, y, 0, 0), target instanceof HTMLElement ? target : null);
  };
  return {
    onContextMenu: (event: MouseEvent) => {
      const isElse = event.target instanceof Element && event.target.closest("a, img, audio, video");
      if (isElse || getSelection()?.isCollapsed === false) return;
      event.preventDefault();
      open(null, event.clientX, event.clientY);
    },
    onPointerDown: (event: PointerEvent) => {
      stop();
      if (event.pointerType === "touch") timer = setTimeout(() => open(null, event.clientX, event.clientY), LONG_MS);
    },
    onPointerMove: stop,
    onPointerUp: stop,
    onPointerCancel: stop,
  };
}
