import type { ConversationId, UserId } from "../src/protocol/ids.ts";
import type { Live } from "../src/sdk/index.ts";
import { clock } from "./clock.ts";
import { byId, h, icon, setText, syncChildren } from "./dom.ts";
import type { Naming } from "./naming.ts";
import { GONE, isMuted, typingText } from "./phrases.ts";
import type { Listed } from "./rows.ts";

/** What the list is drawn from. `now`: epoch ms, by the server's clock. */
export type ListFacts = {
  readonly listed: readonly Listed[];
  readonly naming: Naming;
  readonly live: Live;
  readonly me: UserId;
  readonly open: ConversationId | null;
  readonly now: number;
};

/** [CL-36] The conversations with what is unread; the archived ones apart. */
export function drawList(facts: ListFacts): void {
  const items = facts.listed.map((item) => itemOf(item, facts));
  const [shown, archived] = [items.filter(({ mine }) => !mine.archived), items.filter(({ mine }) => mine.archived)];
  for (const [id, some] of [["list", shown] as const, ["archived-list", archived] as const])
    syncChildren(byId(id, HTMLElement), some, { keyOf: (item) => item.id, drawingOf: JSON.stringify, draw });
  byId("archived", HTMLElement).hidden = archived.length === 0;
  setText(byId("archived-summary", HTMLElement), `Archived (${archived.length})`);
  byId("list-empty", HTMLElement).hidden = items.length > 0;
  const unread = shown.reduce((sum, item) => sum + (item.isMuted ? 0 : item.unread), 0);
  document.title = unread > 0 ? `(${unread}) Edgewise` : "Edgewise";
}

function itemOf(item: Listed, { naming, live, me, open, now }: ListFacts) {
  const { id, mine, unread, last } = item;
  const typists = live.typing.filter(({ conversationId }) => conversationId === id);
  const typing = typingText(
    typists.map(({ userId }) => naming.handle(userId)),
    naming.isGroup(id),
  );
  const shown = { name: naming.title(id), line: lineOf(item, naming, me), at: last ? clock(last.at) : "", typing };
  return { id, mine, unread, ...shown, isMuted: isMuted(mine, now), isOpen: id === open };
}

function lineOf({ id, last }: Listed, naming: Naming, me: UserId): string {
  if (last?.is !== "message") return last ? naming.note(last.event) : "";
  const who = last.senderId === me ? "You: " : naming.isGroup(id) ? `${naming.handle(last.senderId)}: ` : "";
  return last.gone ? GONE[last.gone] : who + last.text.slice(0, 120);
}

type Item = ReturnType<typeof itemOf>;

/** The link stays the same one: it may be under somebody's finger just now. */
function draw(item: Item, old: Element | undefined): Element {
  const row = old ?? h("li", {}, h("a", { href: `#${item.id}` }));
  const line = item.typing ? h("span", { class: "line typing" }, item.typing) : h("span", { class: "line" }, item.line);
  const [link] = row.children;
  if (item.isOpen) link?.setAttribute("aria-current", "true");
  else link?.removeAttribute("aria-current");
  const about = h("span", { class: "marks" }, ...marks(item));
  link?.replaceChildren(h("strong", {}, item.name), h("time", {}, item.at), line, about);
  return row;
}

function marks({ isMuted, mine, unread }: Item): Node[] {
  const badge = h("span", { class: isMuted ? "unread muted" : "unread" }, `${unread}`);
  badge.append(h("span", { class: "unseen" }, " unread"));
  return [
    ...(isMuted ? [icon("muted", "muted")] : []),
    ...(mine.pinned ? [icon("pin", "pinned")] : []),
    ...(unread > 0 ? [badge] : []),
  ];
}
