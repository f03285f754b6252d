import type { Live } from "../src/sdk/drawing.ts";
import { clock } from "./clock.ts";
import type { Naming } from "./naming.ts";
import { GONE, isMuted, sentence, typingText } from "./phrases.ts";
import type { Listed, Tick } from "./rows.ts";
import type { ConversationId, MediaId, UserId } from "./wire.ts";
import { plainName } from "./words.ts";

/** What the list is made from. `now`: epoch ms, by the server's clock. */
export type ListFacts = {
  readonly naming: Naming;
  readonly live: Live;
  readonly me: UserId;
  readonly open: ConversationId | null;
  readonly now: number;
  readonly waiting: Readonly<Record<string, number>>;
  readonly drafts: Readonly<Record<string, { text: string }>>;
};

/** A conversation as the list shows it: words and signs, nothing to ask any more. */
export type Item = {
  id: ConversationId;
  name: string;
  isGroup: boolean;
  peer: UserId | null;
  picture: MediaId | null;
  at: string;
  line: string;
  /** What the line is: what was said last, what somebody types, or what I have not sent. */
  lineIs: "said" | "typing" | "draft";
  tick: Tick | null;
  unread: number;
  /** How many wait for an admin to let them in; of those I may be. */
  waiting: number;
  muted: boolean;
  pinned: boolean;
  archived: boolean;
  open: boolean;
};

export const itemsOf = (listed: readonly Listed[], facts: ListFacts): Item[] =>
  listed.map((item) => itemOf(item, facts));

function itemOf(item: Listed, facts: ListFacts): Item {
  const { id, mine, unread, last } = item;
  const { naming, open, now } = facts;
  const isGroup = naming.isGroup(id);
  const tick = last?.is === "message" ? last.tick : null;
  return {
    ...{
      id,
      name: plainName(naming.title(id)),
      isGroup,
      peer: naming.peer(id),
      picture: naming.picture(id),
      at: last ? clock(last.at) : "",
      tick,
      unread,
      waiting: facts.waiting[id] ?? 0,
      open: id === open,
    },
    ...{ muted: isMuted(mine, now), pinned: mine.pinned, archived: mine.archived },
    ...lineOf(item, isGroup, facts),
  };
}

function lineOf(item: Listed, isGroup: boolean, facts: ListFacts): Pick<Item, "line" | "lineIs"> {
  const { naming, live, drafts, open } = facts;
  const typists = live.typing.filter(({ conversationId }) => conversationId === item.id);
  const names = typists.map(({ userId }) => naming.name(userId));
  const typing = typingText(names, isGroup);
  if (typing) return { line: typing, lineIs: "typing" };
  const draft = drafts[item.id]?.text.trim();
  if (draft && open !== item.id) return { line: draft.slice(0, 120), lineIs: "draft" };
  return { line: saidIn(item, isGroup, facts), lineIs: "said" };
}

function saidIn({ last }: Listed, isGroup: boolean, { naming, me }: ListFacts): string {
  if (last?.is !== "message") return last ? sentence(naming.note(last.event)) : "";
  const who = last.senderId === me ? "You: " : isGroup ? `${naming.name(last.senderId)}: ` : "";
  return last.gone ? GONE[last.gone] : who + last.text.slice(0, 120);
}
