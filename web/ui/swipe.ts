/** Drawn so far, a message is answered. Px. */
const FAR = 56;
/** It follows the finger no further. Px. */
const MOST = 72;
/** So near to the edge of the screen the finger goes back. Px. */
const EDGE = 24;
/** No finger is quite still. Px. */
const JITTER = 10;

/** The one finger that is down, and what it draws: nothing yet, or never as it scrolls. */
let finger: { x: number; y: number; draws: HTMLElement | null } | null = null;

/** [AP-34] A finger that draws a message to the right, and is lifted there, answers it; one that goes up, down or back lets it be. */
export function onSwipe(then: () => void) {
  return {
    onTouchStart({ touches: [touch, second], target }: TouchEvent) {
      const isElse = !(target instanceof Element) || target.closest("input, audio, video") !== null;
      finger =
        !touch || second || isElse || touch.clientX < EDGE ? null : { x: touch.clientX, y: touch.clientY, draws: null };
    },
    onTouchMove({ touches: [touch], currentTarget }: TouchEvent & { currentTarget: HTMLElement }) {
      if (!finger || !touch) return;
      const [right, down] = [touch.clientX - finger.x, Math.abs(touch.clientY - finger.y)];
      if (!finger.draws && Math.max(Math.abs(right), down) < JITTER) return;
      if (!finger.draws && right < down) {
        finger = null;
        return;
      }
      finger.draws ??= currentTarget;
      draw(finger.draws, right);
    },
    onTouchEnd() {
      if (letGo()) then();
    },
    onTouchCancel: letGo,
  };
}

const bubbleOf = (row: HTMLElement): HTMLElement | null => row.querySelector(".bubble");

function draw(row: HTMLElement, right: number): void {
  const px = Math.max(0, Math.min(right, MOST));
  bubbleOf(row)?.style.setProperty("translate", `${px}px`);
  row.classList.toggle("drawn", px >= FAR);
}

/** Lets it go back to where it was. Answers whether it was drawn far enough. */
function letGo(): boolean {
  const row = finger?.draws;
  finger = null;
  if (!row) return false;
  const isFar = row.classList.contains("drawn");
  row.classList.remove("drawn");
  bubbleOf(row)?.style.removeProperty("translate");
  return isFar;
}
