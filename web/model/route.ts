import { computed, signal } from "@preact/signals";
import { isConversationId, isInviteCode } from "../checks.ts";
import type { ConversationId, InviteCode } from "../wire.ts";

/** What the page's address names. */
export type Route = { is: "list" } | { is: "conversation"; id: ConversationId } | { is: "join"; code: InviteCode };

function routeOf(hash: string): Route {
  const [what = "", code] = hash.replace(/^#/, "").split("/");
  if (isConversationId(what)) return { is: "conversation", id: what };
  return what === "join" && isInviteCode(code) ? { is: "join", code } : { is: "list" };
}

export const route = signal<Route>(routeOf(location.hash));
export const openId = computed<ConversationId | null>(() =>
  route.value.is === "conversation" ? route.value.id : null,
);
addEventListener("hashchange", () => {
  route.value = routeOf(location.hash);
});

export const goTo = (id: ConversationId | null): void => location.assign(id === null ? "#" : `#${id}`);

/** A message that the conversation scrolls to and shows for a moment. Each wish is a new object. */
export const jump = signal<{ id: ConversationId; seq: number } | null>(null);
export function jumpTo(id: ConversationId, seq: number): void {
  goTo(id);
  jump.value = { id, seq };
}
