import { menu } from "../model/shows.ts";
import type { ShownMessage } from "../shown.ts";

/** Between a popover and what it hangs on, and the edges of the screen. Px. */
const GAP = 6;

export function openMenu(row: ShownMessage, at: DOMRect, back: HTMLElement | null): void {
  menu.value = { row, at, back };
}

/** Under what it hangs on, or over it where there is no room, and on the screen. */
export function place(popover: HTMLElement, at: DOMRect): void {
  const { width, height } = popover.getBoundingClientRect();
  const below = at.bottom + GAP;
  const top = below + height + GAP > innerHeight ? at.top - height - GAP : below;
  const left = Math.min(at.left, innerWidth - width - GAP);
  Object.assign(popover.style, {
    top: `${Math.max(GAP, Math.min(top, innerHeight - height - GAP))}px`,
    left: `${Math.max(GAP, left)}px`,
  });
}

/** The arrows lead from one button of a popover to the next. */
export function moveInside(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
  if (step === undefined || event.target instanceof HTMLInputElement) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>("button")];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  event.preventDefault();
  buttons.at((at + step + buttons.length) % buttons.length)?.focus();
}

type Watcher = { onclose: (() => void) | null; destroy: () => void };

/** Escape, or the way back of a phone, which else would leave the conversation. Answers what ends it. [AP-34] */
export function onCloseAsked(close: () => void): () => void {
  const CloseWatcher = Reflect.get(globalThis, "CloseWatcher") as (new () => Watcher) | undefined;
  if (CloseWatcher) {
    const watcher = new CloseWatcher();
    watcher.onclose = close;
    return () => watcher.destroy();
  }
  const onKey = ({ key }: KeyboardEvent) => key === "Escape" && close();
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
