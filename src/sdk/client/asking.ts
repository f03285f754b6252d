import type { ConversationId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import type { Happening } from "../happenings.ts";
import { heldOf } from "../state.ts";
import type { Command } from "./commands.ts";
import { isGone } from "./errors.ts";
import { historyOf } from "./history.ts";
import type { Sessions } from "./sessions.ts";
import { type ClientChange, type ClientState, nobody, profileIn } from "./state.ts";
import { knownIds } from "./stored.ts";
import { trace, unsureOf } from "./tracing.ts";
import type { Contacts, Conversation, Profile } from "./wire.ts";

type Ports = {
  readonly sessions: Sessions;
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
  #syncing: Promise<void> | null = null;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** The connection is gone: what was not answered is asked again on the next. */
  lost(): void {
    this.#asked.clear();
  }

  /** Asks who and what is shown without being known: once a connection. */
  missing(): void {
    const { sessions, tell } = this.#ports;
    const state = this.#ports.state();
    for (const id of knownIds(state)) {
      const about = state.about[id];
      if (!about?.kind) this.#ask(id, () => this.#conversation(id));
      const { peerId } = about ?? {};
      if (peerId && !state.people[peerId]) this.#ask(peerId, () => this.#person(peerId));
    }
    for (const [id, entries] of unsureOf(state.replica.outbox))
      this.#ask(`unsure ${id}`, () => trace(sessions, id, entries, tell));
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
