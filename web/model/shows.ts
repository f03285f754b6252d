import { signal } from "@preact/signals";
import type { ShownMessage } from "../shown.ts";
import type { ConversationId, MediaContent, UserId } from "../wire.ts";
import type { Reported } from "./reporting.ts";

/** What lies over the page; one thing at a time. */
export type Dialog =
  | { is: "settings" }
  | { is: "erase" }
  | { is: "new" }
  | { is: "contacts" }
  | { is: "conversation"; id: ConversationId }
  | { is: "person"; userId: UserId }
  | { is: "stars" }
  | { is: "forward"; id: ConversationId; seq: number }
  | { is: "report"; reported: Reported }
  | { is: "message"; id: ConversationId; seq: number }
  | { is: "picture"; media: MediaContent; all: readonly MediaContent[] }
  | { is: "camera"; take: (picture: File) => void }
  | { is: "sure"; question: string; about: string; act: string; then: () => void };
export const dialog = signal<Dialog | null>(null);
export const close = (): void => {
  dialog.value = null;
};
/** Asks before what cannot be undone. `about`: what comes of it, where that is not plain. */
export const ask = (question: string, act: string, then: () => void, about = ""): void => {
  dialog.value = { is: "sure", question, about, act, then };
};

/** The menu of one message, and what it hangs on. */
export const menu = signal<{ row: ShownMessage; at: DOMRect; back: HTMLElement | null } | null>(null);
/** The emoji to choose from, what it hangs on, and what is done with the chosen one. */
export const picker = signal<{ at: DOMRect; back: HTMLElement | null; chosen: (emoji: string) => void } | null>(null);

/** Said aloud by screen readers. */
export const said = signal("");
/** Told at the edge of the screen for a moment. */
export const toast = signal("");
let toasting = 0;
export function tell(text: string): void {
  toast.value = text;
  clearTimeout(toasting);
  toasting = setTimeout(() => {
    toast.value = "";
  }, 5_000);
}
