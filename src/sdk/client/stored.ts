import type { Event } from "../../protocol/events.ts";
import type { ConversationId } from "../../protocol/ids.ts";
import { groupBy } from "../group-by.ts";
import { conversationIds, type Entry, type Held, heldOf } from "../state.ts";
import type { About } from "./api.ts";
import { type ClientChange, type ClientState, NOTHING_KEPT } from "./state.ts";
import type { Store, Value, Write } from "./storage.ts";
import type { Contact, Profile } from "./wire.ts";

/** How a state lies in a store. */

/** Raised when a state of before cannot be read on: then its outbox is kept, and all else is fetched anew. */
const SHAPE = 2;
/** Events lie in pieces of this many seqs, so that a new one does not write the whole log again. */
const PIECE = 32;

type Meta = { readonly shape: number; readonly cursor: string | null; readonly contacts: number | null };
/** `tail`: the last message and what was said since, once more, so that a list can be shown before the logs are read. */
type Small = Omit<Held, "events"> & { readonly tail: Held["events"] };
/** Events of a tail at most. */
const TAIL_MAX = 4;
type Kept = { readonly order: number; readonly entry: Entry };
const pieceOf = (seq: number): number => Math.floor(seq / PIECE);
const logKey = (id: string, piece: number): string => `log/${id}/${String(piece).padStart(12, "0")}`;

/** Turns the changes of a state into writes. It knows what lies in the store, so that what is gone is taken away there, too. */
export class Encoder {
  readonly #keys = new Set<string>();
  readonly #orders = new Map<string, number>();
  #lastOrder = 0;

  /** The state as it was stored last. A store that somebody else has written, or a newer version, is as good as empty but for the outbox. */
  load(rows: readonly (readonly [string, Value])[]): ClientState {
    for (const [key] of rows) this.#keys.add(key);
    const meta = metaIn(rows);
    const below = <T>(prefix: string) =>
      rows.flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value as T] as const] : []));
    const outbox = below<Kept>("out/")
      .map(([, kept]) => kept)
      .sort((a, b) => a.order - b.order);
    for (const { order, entry } of outbox) this.#orders.set(entry.wishId, order);
    this.#lastOrder = outbox.at(-1)?.order ?? 0;
    const entries = outbox.map(({ entry }) => entry);
    if (meta?.shape !== SHAPE) return { ...NOTHING_KEPT, replica: { ...NOTHING_KEPT.replica, outbox: entries } }; // [CL-46]
    const logs = groupBy(below<Event[]>("log/"), ([key]) => key.slice(0, key.lastIndexOf("/")));
    const held = below<Small>("held/").map(([id, { tail: _, ...small }]) => {
      return [id, { ...small, events: (logs.get(id) ?? []).flatMap(([, events]) => events) }] as const;
    });
    const conversations = Object.fromEntries(held) as ClientState["replica"]["conversations"];
    return {
      replica: { cursor: meta.cursor as ClientState["replica"]["cursor"], conversations, outbox: entries },
      about: Object.fromEntries(below<About>("about/")),
      people: Object.fromEntries(below<Profile>("person/")),
      aliases: Object.fromEntries(below<string>("alias/")),
      contacts: { version: meta.contacts ?? null, byId: Object.fromEntries(below<Contact>("contact/")) },
    };
  }

  /** What to write after these changes, which have led to `state`. */
  encode(changes: readonly ClientChange[], state: ClientState): Write[] {
    const writes = new Map<string, Value>();
    for (const change of changes) for (const [key, value] of this.#writesOf(change, state)) writes.set(key, value);
    if (writes.size > 0) writes.set("meta", metaOf(state));
    for (const [key, value] of writes) value === undefined ? this.#keys.delete(key) : this.#keys.add(key);
    return [...writes].map(([key, value]) => ({ key, value }));
  }

  /** Everything but the outbox and what its wishes are called is let go of, for want of room. */
  encodeWithoutLogs(state: ClientState): Write[] {
    const gone = [...this.#keys].filter((key) => /^(log|held|about|person|contact)\//.test(key));
    for (const key of gone) this.#keys.delete(key);
    const outbox = state.replica.outbox.map((entry) => this.#entry(entry));
    const aliases = Object.entries(state.aliases).map(([key, wishId]) => [`alias/${key}`, wishId] as const);
    for (const [key] of aliases) this.#keys.add(key);
    const meta = ["meta", metaOf(NOTHING_KEPT)] as const;
    const writes = [...gone.map((key) => [key, undefined] as const), ...outbox, ...aliases, meta];
    return writes.map(([key, value]) => ({ key, value }));
  }

  #writesOf(change: ClientChange, state: ClientState): (readonly [string, Value])[] {
    const { replica } = state;
    switch (change.type) {
      case "forgot":
        return [...this.#stale("held/", []), ...this.#stale("log/", []), ...this.#outbox(state)];
      case "contacts":
        return [
          ...this.#stale(
            "contact/",
            Object.keys(state.contacts.byId).map((id) => `contact/${id}`),
          ),
          ...change.contacts.map((contact) => [`contact/${contact.userId}`, contact] as const),
          ["meta", null],
        ];
      case "cursor":
        return [["meta", null]]; // its value is put in last
      case "grew":
      case "buried":
      case "deleted":
      case "older":
        return [
          this.#held(replica, change.conversationId),
          ...this.#pieces(replica, change.conversationId, change.events),
        ];
      case "cleared":
      case "skipped":
      case "trimmed":
        return [this.#held(replica, change.conversationId), ...this.#log(replica, change.conversationId)];
      case "marked":
        return [this.#held(replica, change.conversationId)];
      case "entry":
        return [this.#entry(replica.outbox.find(({ wishId }) => wishId === change.entry.wishId) ?? change.entry)];
      case "left":
        this.#orders.delete(change.wishId);
        return [[`out/${change.wishId}`, undefined]];
      case "about":
        return [[`about/${change.conversationId}`, state.about[change.conversationId]]];
      case "alias":
        return [
          ...this.#stale(
            "alias/",
            Object.keys(state.aliases).map((key) => `alias/${key}`),
          ),
          [`alias/${change.key}`, change.wishId],
        ];
      case "wiped":
        return [...WIPED.flatMap((prefix) => this.#stale(prefix, [])), ["meta", null]];
      case "person":
        return [[`person/${change.profile.userId}`, change.profile]];
    }
  }

  #held(replica: ClientState["replica"], id: ConversationId): readonly [string, Value] {
    const { events, ...small } = heldOf(replica, id);
    return [`held/${id}`, { ...small, tail: tailOf(events) } satisfies Small];
  }

  /** Those in which these events lie. */
  #pieces(replica: ClientState["replica"], id: ConversationId, events: readonly Event[]): (readonly [string, Value])[] {
    const touched = new Set(events.map(({ seq }) => pieceOf(seq)));
    const byPiece = groupBy(heldOf(replica, id).events, ({ seq }) => pieceOf(seq));
    return [...touched].map((piece) => [logKey(id, piece), byPiece.get(piece)]);
  }

  /** All of one log; what is not in it any more is taken away. */
  #log(replica: ClientState["replica"], id: ConversationId): (readonly [string, Value])[] {
    const pieces = this.#pieces(replica, id, heldOf(replica, id).events);
    const keys = pieces.map(([key]) => key);
    return [...this.#stale(`log/${id}/`, keys), ...pieces];
  }

  #stale(prefix: string, kept: readonly string[]): (readonly [string, Value])[] {
    const isKept = new Set(kept);
    const stale = [...this.#keys].filter((key) => key.startsWith(prefix) && !isKept.has(key));
    return stale.map((key) => [key, undefined]);
  }

  #outbox({ replica }: ClientState): (readonly [string, Value])[] {
    const kept = replica.outbox.map((entry) => this.#entry(entry));
    return [
      ...this.#stale(
        "out/",
        kept.map(([key]) => key),
      ),
      ...kept,
    ];
  }

  #entry(entry: Entry): readonly [string, Value] {
    const order = this.#orders.get(entry.wishId) ?? ++this.#lastOrder;
    this.#orders.set(entry.wishId, order);
    return [`out/${entry.wishId}`, { order, entry } satisfies Kept];
  }
}

/** From the last message that is near the end on; else the last event. */
export function tailOf(events: Held["events"]): Held["events"] {
  const last = events.slice(-TAIL_MAX);
  return last.slice(
    Math.max(
      0,
      last.findLastIndex(({ kind }) => kind === "message"),
    ),
  );
}

/** [CL-57] Besides the logs. */
const WIPED = ["about/", "person/", "contact/"];
const BEFORE_LOGS = ["about/", "alias/", "contact/", "held/", "meta", "out/", "person/"];

/** Logs that are asked for at once. */
const LOGS_AT_ONCE = 8;
type Rows = Awaited<ReturnType<Store["read"]>>;

const besidesLogs = async (store: Pick<Store, "read">): Promise<Rows> =>
  (await Promise.all(BEFORE_LOGS.map((prefix) => store.read(prefix)))).flat();

/**
 * [AP-37] All that an `Encoder` loads, log by log: whoever reads them all at once makes a page wait until they are all objects. Nobody else
 * writes meanwhile: only the tab that leads does.
 */
export async function rowsOf(store: Pick<Store, "read">): Promise<Rows> {
  const small = await besidesLogs(store);
  if (!isReadable(small)) return store.read(""); // nobody knows how it lies there
  const ids = small.flatMap(([key]) => (key.startsWith("held/") ? [key.slice("held/".length)] : []));
  const logs: Rows[] = [];
  for (let from = 0; from < ids.length; from += LOGS_AT_ONCE) {
    const some = ids.slice(from, from + LOGS_AT_ONCE);
    logs.push(...(await Promise.all(some.map((id) => store.read(`log/${id}/`)))));
  }
  return [...small, ...logs.flat()];
}

/** [CL-54] What a list is drawn from, without the logs: of each no more than its tail is here, and the rest is as if it were not kept. */
export async function glimpseOf(store: Pick<Store, "read">): Promise<ClientState> {
  const rows = await besidesLogs(store);
  const tails = rows.flatMap(([key, value]) => {
    if (!key.startsWith("held/")) return [];
    const { tail = [] } = value as Partial<Small>;
    return tail.length > 0 ? [[logKey(key.slice("held/".length), 0), tail] as const] : [];
  });
  const state = new Encoder().load([...rows, ...tails]);
  const conversations = Object.entries(state.replica.conversations).map(([id, held]) => {
    return [id, { ...held, from: Math.max(held.from, held.events[0]?.seq ?? held.covered + 1) }] as const;
  });
  return { ...state, replica: { ...state.replica, conversations: Object.fromEntries(conversations) } };
}

const metaIn = (rows: Rows): Meta | undefined => rows.find(([key]) => key === "meta")?.[1] as Meta | undefined;
const isReadable = (rows: Rows): boolean => metaIn(rows)?.shape === SHAPE;
const metaOf = ({ replica, contacts }: ClientState): Meta => ({
  ...{ shape: SHAPE, cursor: replica.cursor, contacts: contacts.version },
});

export const knownIds = ({ replica, about }: ClientState): ConversationId[] =>
  [...new Set([...conversationIds(replica), ...Object.keys(about)])] as ConversationId[];
