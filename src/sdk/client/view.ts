import { lineOf } from "../../domain/media.ts";
import { NOT_MUTED } from "../../domain/ringing.ts";
import type { ConversationId, UserId } from "../../protocol/ids.ts";
import { type Line as Folded, isReadable, nextExpiry, timelineOf, wordsOf } from "../fold.ts";
import { groupBy } from "../group-by.ts";
import { type Entry, type Held, heldOf } from "../state.ts";
import type { About, ConversationSnapshot, Line, Message, MessageState } from "./api.ts";
import { isRetryable } from "./errors.ts";
import type { Moment } from "./moment.ts";
import type { ClientState, Contacts } from "./state.ts";
import { knownIds } from "./stored.ts";
import type { Contact, Profile } from "./wire.ts";

/** What is shown, from what is kept. Each thing is made anew only when something of it changed. */

/** All that is shown is made from this. `now`: epoch ms by the server's clock. */
export type Sight = {
  readonly state: ClientState;
  readonly moment: Pick<Moment, "live">;
  readonly me: string | null;
  readonly device: string | null;
  readonly now: number;
};

const NO_TICKS: Held["ticks"] = { delivered: 0, read: 0, except: [] };
const NOBODY: readonly string[] = [];
const NONE: readonly number[] = [];

/** What something was made from last, and what came of it. It holds until then, too: epoch ms. */
type Memo<T> = { readonly from: readonly unknown[]; readonly until: number; readonly made: T };
type Lines = { readonly all: readonly Line[]; readonly byId: ReadonlyMap<string, Line> };

export class View {
  readonly #lines = new Map<string, Memo<Lines>>();
  readonly #snapshots = new Map<string, Memo<ConversationSnapshot>>();
  #outbox: { of: readonly Entry[]; byId: ReadonlyMap<string, readonly Entry[]> } = { of: [], byId: new Map() };
  #list: readonly ConversationSnapshot[] = [];
  #contacts: { of: Contacts | null; made: readonly Contact[] } = { of: null, made: [] };

  forget(): void {
    this.#lines.clear();
    this.#snapshots.clear();
    this.#list = [];
  }

  /** [CL-47] Pinned first, then the newest. */
  list(sight: Sight): readonly ConversationSnapshot[] {
    const all = knownIds(sight.state).map((id) => this.snapshot(id, sight));
    all.sort((a, b) => Number(b.mine.pinned) - Number(a.mine.pinned) || b.lastAt - a.lastAt || (a.id < b.id ? -1 : 1));
    if (!isSameList(all, this.#list)) this.#list = all;
    return this.#list;
  }

  contacts({ state: { contacts } }: Sight): readonly Contact[] {
    if (contacts !== this.#contacts.of) {
      const made = Object.values(contacts.byId).sort((a, b) => (a.handle < b.handle ? -1 : 1));
      this.#contacts = { of: contacts, made };
    }
    return this.#contacts.made;
  }

  lines(id: string, sight: Sight): readonly Line[] {
    const held = heldOf(sight.state.replica, id as ConversationId);
    const entries = this.#entriesOf(id, sight.state.replica.outbox);
    const { delivered, read, except } = held.ticks;
    const from = [held.events, delivered, read, JSON.stringify(except), sight.me, ...entries];
    const memo = this.#lines.get(id);
    if (memo && memo.until > sight.now && isSameList(from, memo.from)) return memo.made.all;
    const fresh = linesOf(held.events, held.ticks, sight, entries).map((line) =>
      same(line, memo?.made.byId.get(line.id)),
    );
    const all = memo && isSameList(fresh, memo.made.all) ? memo.made.all : fresh;
    const made = { all, byId: new Map(all.map((line) => [line.id, line])) };
    this.#lines.set(id, { from, until: nextExpiry(held.events, sight.now), made });
    return all;
  }

  snapshot(id: string, sight: Sight): ConversationSnapshot {
    const { state, moment, me, now } = sight;
    const held = heldOf(state.replica, id as ConversationId);
    const about = state.about[id];
    const peer = about?.peerId ? (state.people[about.peerId] ?? null) : null;
    const entries = this.#entriesOf(id, state.replica.outbox);
    const typing = moment.live.typing
      .filter((each) => each.conversationId === id)
      .map(({ userId }) => userId as string);
    const from = [held, about, peer, typing.join(), me, ...entries];
    const memo = this.#snapshots.get(id);
    if (memo && memo.until > now && isSameList(from, memo.from)) return memo.made;
    const made = snapshotOf(id, { held, about, peer, typing, entries, sight });
    this.#snapshots.set(id, { from, until: nextExpiry(held.events, now), made });
    return made;
  }

  #entriesOf(id: string, outbox: readonly Entry[]): readonly Entry[] {
    if (this.#outbox.of !== outbox)
      this.#outbox = { of: outbox, byId: groupBy(outbox, ({ conversationId }) => conversationId as string) };
    return this.#outbox.byId.get(id) ?? [];
  }
}

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);

/** The line as it was, where nothing of it has changed: so a list draws only what did. */
function same(line: Line, before: Line | undefined): Line {
  return before && JSON.stringify(line) === JSON.stringify(before) ? before : line;
}

type Sides = {
  held: Held;
  about: About | undefined;
  peer: Profile | null;
  typing: readonly string[];
  entries: readonly Entry[];
  sight: Sight;
};

function snapshotOf(id: string, { held, about, peer, typing, entries, sight }: Sides): ConversationSnapshot {
  // What is said of the last message comes after it, so its line can be made without the others.
  const tail = held.events.slice(
    Math.max(
      0,
      held.events.findLastIndex(({ kind }) => kind === "message"),
    ),
  );
  const lines = linesOf(tail, held.ticks, sight, entries);
  const preview = lines.findLast((line): line is Message => line.is === "message") ?? null;
  const { mine, ticks, read, covered, memberCount } = held;
  return {
    ...{
      id,
      kind: about?.kind ?? null,
      title: about?.title ?? peer?.displayName ?? "",
      peer,
      role: about?.role ?? null,
    },
    ...{ members: about?.members ?? null, memberCount: about?.members?.length ?? memberCount },
    ...{
      unread: unreadOf(held, about, sight),
      preview,
      lastAt: (preview ?? lines.at(-1))?.at ?? about?.createdAt ?? 0,
    },
    ...{ ticks: ticks ?? NO_TICKS, mine: mine ?? NOT_MUTED, typing: typing.length > 0 ? typing : NOBODY },
    ...{ settings: about?.settings ?? null, starred: about?.starred ?? NONE },
    requestCount: about?.requestCount ?? 0,
    ...{ read, head: covered, hasOlder: held.from > 1 },
  };
}

/** [CL-47] Of what is not kept here, as many as the server counted. */
function unreadOf({ events, read, from }: Held, about: About | undefined, { me, now }: Sight): number {
  const isWhole = read >= from - 1 || !about;
  const after = isWhole ? read : Math.max(read, about.head);
  const here = events.filter((event) => event.seq > after && event.senderId !== me && isReadable(event, now)).length;
  return isWhole ? here : here + about.unread;
}

function linesOf(
  events: Held["events"],
  ticks: Held["ticks"],
  { me, now, state }: Sight,
  entries: readonly Entry[],
): Line[] {
  const wishes = entries.flatMap(({ event, standing }) => (standing.is === "failed" ? [] : [event]));
  const folded = timelineOf(events, { me: (me ?? "") as UserId, wishes, now });
  const shown = folded.map(
    (line): Line => (line.is === "note" ? noteOf(line) : messageOf(line, me, ticks, state.aliases)),
  );
  return [...shown, ...entries.flatMap((entry) => queued(entry, me ?? "", ticks))];
}

const noteOf = ({ event }: Extract<Folded, { is: "note" }>): Line => ({
  ...{ is: "note", id: event.eventId, seq: event.seq, at: event.occurredAt, event },
});

function messageOf(
  line: Extract<Folded, { is: "message" }>,
  me: string | null,
  ticks: Held["ticks"],
  aliases: ClientState["aliases"],
): Message {
  const { event, content, edited, reactions } = line;
  const mine = event.senderId === me;
  return {
    ...{
      is: "message",
      id: aliases[event.idempotencyKey] ?? event.idempotencyKey,
      conversationId: event.conversationId,
      seq: event.seq,
    },
    ...{ senderId: event.senderId, mine, content, text: wordsOf(line) ?? "", edited, reactions, at: event.occurredAt },
    state: mine ? sentState(event.seq, ticks) : null,
  };
}

/** How far an own message with this seq has come. */
export function sentState(seq: number, { delivered, read, except }: Held["ticks"]): MessageState {
  if (except.some(({ from, to }) => from <= seq && seq <= to)) return { is: "sent", seq }; // [RC-11]
  return { is: seq <= read ? "read" : seq <= delivered ? "delivered" : "sent", seq };
}

function queued(entry: Entry, me: string, ticks: Held["ticks"]): Message[] {
  const { event, conversationId, wishId, composedAt } = entry;
  if (event.kind !== "message") return [];
  const { content } = event;
  const state = stateOf(entry, ticks);
  return [
    {
      ...{ is: "message", id: wishId, conversationId, seq: "seq" in state ? state.seq : null, senderId: me },
      ...{ mine: true, content, text: lineOf(content), edited: false, reactions: [], at: composedAt, state },
    },
  ];
}

/** How a wish that is in the outbox stands. */
export function stateOf({ standing }: Entry, ticks: Held["ticks"] = NO_TICKS): MessageState {
  if (standing.is === "failed") return { is: "failed", code: standing.code, retryable: isRetryable(standing.code) };
  return standing.is === "acked" ? sentState(standing.seq, ticks) : { is: "queued" };
}
