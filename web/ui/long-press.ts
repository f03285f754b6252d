/** Held for so long, a finger asks for the menu. Ms. */
const LONG_MS = 480;
/** A click that comes so soon after is that of the lifted finger. Ms. */
const GHOST_MS = 350;
/** No finger is quite still. Px. */
const JITTER = 10;

type Point = { x: number; y: number };
/** The one finger that is down, wherever it is: what it is on may be drawn anew meanwhile. */
let down: Point | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Whether it has been answered: then lifting it presses nothing. */
let answered = false;

function stop(): void {
  clearTimeout(timer);
  down = null;
}
/** What presses later is another finger, or a key. */
function lift(): void {
  stop();
  setTimeout(() => {
    answered = false;
  }, GHOST_MS);
}

/** [AP-34] What a finger that stays on something asks for; one that scrolls, or that rests on a link, asks for nothing. */
export function onLongPress(then: (at: Point) => void) {
  return {
    onPointerDown({ pointerType, isPrimary, clientX: x, clientY: y, target }: PointerEvent) {
      stop();
      answered = false;
      if (pointerType !== "touch" || !isPrimary || isOnLink(target)) return;
      down = { x, y };
      timer = setTimeout(() => {
        stop();
        answered = true;
        then({ x, y });
      }, LONG_MS);
    },
    onPointerMove({ clientX, clientY }: PointerEvent) {
      if (down && Math.hypot(clientX - down.x, clientY - down.y) > JITTER) stop();
    },
    onPointerUp: lift,
    onPointerCancel: lift,
    onClickCapture(event: MouseEvent) {
      if (!answered) return;
      answered = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}

export const isOnLink = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("a") !== null;
