import type { ConversationId, UserId } from "../src/protocol/ids.ts";
import { clock } from "./clock.ts";
import { byId, h, syncChildren } from "./dom.ts";
import type { Naming } from "./naming.ts";
import type { Listed } from "./rows.ts";

/** The conversations, the newest first, with what is unread. */
export function drawList(listed: readonly Listed[], naming: Naming, me: UserId, open: ConversationId | null): void {
  const items = listed.map((item) => ({ ...item, ...captions(item, naming, me), isOpen: item.id === open }));
  syncChildren(byId("list", HTMLElement), items, { keyOf: ({ id }) => id, drawingOf: JSON.stringify, draw });
  byId("list-empty", HTMLElement).hidden = items.length > 0;
  const unread = items.reduce((sum, item) => sum + item.unread, 0);
  document.title = unread > 0 ? `(${unread}) Edgewise` : "Edgewise";
}

function captions({ id, last }: Listed, naming: Naming, me: UserId) {
  const at = last ? clock(last.at) : "";
  if (last?.is !== "message") return { name: naming.title(id), line: last ? naming.note(last.event) : "", at };
  const who = last.senderId === me ? "You: " : naming.isGroup(id) ? `${naming.handle(last.senderId)}: ` : "";
  return { name: naming.title(id), line: who + last.text.slice(0, 120), at };
}

type Item = Listed & ReturnType<typeof captions> & { isOpen: boolean };

function draw({ id, name, line, at, unread, isOpen }: Item): HTMLElement {
  const link = h(
    "a",
    { href: `#${id}`, ...(isOpen ? { "aria-current": "true" } : {}) },
    h("strong", {}, name),
    h("time", {}, at),
    h("span", { class: "line" }, line),
  );
  if (unread > 0) link.append(h("span", { class: "unread" }, `${unread}`, h("span", { class: "unseen" }, " unread")));
  return h("li", {}, link);
}
