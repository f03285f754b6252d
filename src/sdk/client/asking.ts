import { backoffMs } from "../../domain/retry.ts";
import type { ConversationId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import type { Happening } from "../happenings.ts";
import { heldOf } from "../state.ts";
import type { Command } from "./commands.ts";
import { EdgewiseError, isGone } from "./errors.ts";
import { historyOf } from "./history.ts";
import type { Sessions } from "./sessions.ts";
import { type ClientChange, type ClientState, nobody, profileIn } from "./state.ts";
import { knownIds } from "./stored.ts";
import { trace, unsureOf } from "./tracing.ts";
import type { Contacts, Conversation, Profile } from "./wire.ts";

/** When a search that was refused goes on, unless the server says later. */
const AGAIN = { baseMs: 1_000, capMs: 30_000 };

type Ports = {
  readonly sessions: Sessions;
  /** Answers how to call it off. */
  readonly after: (ms: number, act: () => void) => () => void;
  readonly state: () => ClientState;
  readonly tell: (happening: Happening) => void;
  readonly put: (changes: readonly ClientChange[]) => void;
  readonly know: (known: { readonly conversation?: Conversation; readonly profiles?: readonly Profile[] }) => void;
};

/** What the leader asks the doors for, because it is shown and not known here. */
export class Asking {
  readonly #ports: Ports;
  /** What was asked about on this connection. */
  readonly #asked = new Set<string>();
  /** Searches that were refused on this connection, how often in a row, and how to call off the next try. */
  readonly #searches = new Map<ConversationId, { readonly failures: number; readonly callOff: () => void }>();
  #syncing: Promise<void> | null = null;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** The connection is gone: what was not answered is asked again on the next. */
  lost(): void {
    this.#asked.clear();
    for (const { callOff } of this.#searches.values()) callOff();
    this.#searches.clear();
  }

  /** Asks who and what is shown without being known: once a connection. */
  missing(): void {
    const state = this.#ports.state();
    for (const id of knownIds(state)) {
      const about = state.about[id];
      if (!about?.kind) this.#ask(id, () => this.#conversation(id));
      const { peerId } = about ?? {};
      if (peerId && !state.people[peerId]) this.#ask(peerId, () => this.#person(peerId));
    }
    for (const id of unsureOf(state.replica.outbox).keys()) this.#ask(searchOf(id), () => this.#search(id));
  }

  /** [CL-66] From where it has come to, if it was begun before. */
  async #search(id: ConversationId): Promise<void> {
    const { sessions, tell } = this.#ports;
    try {
      await trace(sessions, id, unsureOf(this.#ports.state().replica.outbox).get(id) ?? [], tell);
      this.#searches.delete(id);
    } catch (error) {
      if (error instanceof EdgewiseError && error.retryable) this.#searchLater(id, error.retryAfterMs ?? 0);
    }
  }

  /** [CL-75] By itself, and not only on the next connection, which may be hours away. */
  #searchLater(id: ConversationId, retryAfterMs: number): void {
    if (!this.#asked.has(searchOf(id))) return; // the connection has gone
    const known = this.#searches.get(id);
    known?.callOff();
    const failures = (known?.failures ?? 0) + 1;
    const ms = Math.max(retryAfterMs, backoffMs(AGAIN, failures, 1));
    const callOff = this.#ports.after(ms, () => void this.#search(id));
    this.#searches.set(id, { failures, callOff });
  }

  #ask(what: string, question: () => Promise<void>): void {
    if (this.#asked.has(what)) return;
    this.#asked.add(what);
    question().catch(() => {}); // it is asked again on the next connection
  }

  async #conversation(id: ConversationId): Promise<void> {
    const { conversation } = await this.#ports.sessions.call("conversation", { params: { id } });
    this.#ports.know({ conversation });
  }

  async #person(userId: string): Promise<void> {
    const answer: Promise<Profile> = this.#ports.sessions.call("user", { params: { userId } });
    const profile = await answer.catch((error: unknown) => {
      if (isGone(error)) return nobody(userId);
      throw error;
    });
    this.#ports.know({ profiles: [profileIn(profile)] });
  }

  refreshContacts(): void {
    this.contacts().catch(() => {}); // on the next connection it is asked again
  }

  /** [CL-52] What has changed since the version that is here, page by page. Its version is kept with the last page alone. */
  contacts(): Promise<void> {
    this.#syncing ??= this.#pullContacts().finally(() => {
      this.#syncing = null;
    });
    return this.#syncing;
  }

  async #pullContacts(): Promise<void> {
    const { sessions, put } = this.#ports;
    const before = this.#ports.state().contacts.version;
    let query: { since: number } | { cursor: string } = { since: before ?? 0 };
    let isFirst = true;
    for (;;) {
      const page: Contacts = await sessions.call("contacts", { query });
      const { contacts, removed, reset, version, cursor } = page;
      const isReset = isFirst && reset ? ({ reset } as const) : {};
      const profiles = contacts.map(profileIn);
      const changes: ClientChange[] = profiles.map((profile) => ({ type: "person", profile }));
      changes.push({
        ...{ type: "contacts", contacts, removed, ...isReset, version: cursor === undefined ? version : before },
      });
      put(changes);
      if (cursor === undefined) return;
      query = { cursor };
      isFirst = false;
    }
  }

  async star({ conversationId, seq, starred }: Extract<Command, { do: "star" }>): Promise<void> {
    const params = { id: conversationId, seq };
    await this.#ports.sessions.call(starred ? "star" : "unstar", { params });
    const others = (this.#ports.state().about[conversationId]?.starred ?? []).filter((other) => other !== seq);
    const about = { starred: starred ? [...others, seq] : others };
    this.#ports.put([{ type: "about", conversationId, about }]);
  }

  /** A page of what lies below what is kept; how many came. */
  async older(conversationId: ConversationId): Promise<number> {
    const { sessions, tell } = this.#ports;
    const { from = 1 } = heldOf(this.#ports.state().replica, conversationId);
    if (from <= 1) return 0;
    const query = { before: from, limit: LIMITS.historyPage };
    const page = await historyOf(sessions, conversationId, query);
    const events = page.events.toReversed();
    const reached = page.hasMore ? (events[0]?.seq ?? from) : 1;
    tell({ type: "older", conversationId, before: from, from: reached, events });
    return events.length;
  }
}

const searchOf = (id: ConversationId): string => `unsure ${id}`;
