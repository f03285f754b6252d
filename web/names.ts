import type { About, DeviceState } from "../src/sdk/drawing.ts";
import type { Conversation, ConversationId, MediaId, Member, Profile, UserId } from "./wire.ts";
import { nameOf } from "./words.ts";

/** What is known of a conversation besides its log. What is missing is asked for when somebody looks. */
export type Known = Pick<
  Conversation,
  | "kind"
  | "title"
  | "members"
  | "retentionMs"
  | "avatarMediaId"
  | "sending"
  | "setting"
  | "adding"
  | "approval"
  | "history"
> & { readonly mine: Pick<Conversation["mine"], "role"> };

/** What somebody is called who was erased. */
export const DELETED = "Deleted account";

/** How what is not known is asked for; what it answers comes with the state. */
export type Asking = {
  readonly person: (id: UserId) => Promise<unknown>;
  readonly conversation: (id: ConversationId) => Promise<unknown>;
};

/** Asks about each thing once, until `retry`. */
export class Questions {
  readonly #asking: Asking;
  readonly #asked = new Set<string>();

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  person(id: UserId): void {
    this.#ask(id, () => this.#asking.person(id));
  }
  conversation(id: ConversationId): void {
    this.#ask(id, () => this.#asking.conversation(id));
  }
  /** What was not answered may be asked again: the server is there now. */
  retry(): void {
    this.#asked.clear();
  }

  #ask(what: string, question: () => Promise<unknown>): void {
    if (this.#asked.has(what)) return;
    this.#asked.add(what);
    question().then(
      () => this.#asked.delete(what),
      () => {}, // asked again on the next connection
    );
  }
}

const NOBODY = { handle: "", displayName: "" };

/** Who people are and what conversations are called, in the state as it is now. */
export class Names {
  readonly #state: Pick<DeviceState, "about" | "people">;
  readonly #me: UserId;
  readonly #questions: Questions;

  constructor(state: Pick<DeviceState, "about" | "people">, me: UserId, questions: Questions) {
    this.#state = state;
    this.#me = me;
    this.#questions = questions;
  }

  #person(id: UserId): Pick<Profile, "handle" | "displayName"> | undefined {
    const known = this.#state.people[id];
    if (!known) this.#questions.person(id);
    return known;
  }

  /** Unique, and of letters that cannot be mistaken for others. */
  handle(id: UserId): string {
    const known = this.#person(id);
    return known ? known.handle || DELETED : "…";
  }

  /** [AP-51] What somebody calls themselves. */
  name(id: UserId): string {
    return nameOf(this.#state.people[id] ?? NOBODY) || this.handle(id);
  }

  face(id: UserId): MediaId | null {
    return this.#state.people[id]?.avatarMediaId ?? null;
  }

  conversation(id: ConversationId): Known | undefined {
    const about = this.#state.about[id];
    if (!about?.kind) {
      this.#questions.conversation(id);
      return undefined;
    }
    const asked = <T>(value: T | null): T | null => {
      if (value === null) this.#questions.conversation(id);
      return value;
    };
    const settings = () => (asked(about.settings) ?? {}) as Partial<Conversation>;
    const me = this.#me;
    return {
      kind: about.kind,
      title: about.title ?? undefined,
      mine: { role: about.role },
      get members() {
        return (peersOf(about, me) ?? asked(about.members) ?? []) as Member[];
      },
      get retentionMs() {
        return settings().retentionMs;
      },
      get avatarMediaId() {
        return about.kind === "group" ? settings().avatarMediaId : undefined;
      },
      get sending() {
        return settings().sending;
      },
      get setting() {
        return settings().setting;
      },
      get adding() {
        return settings().adding;
      },
      get approval() {
        return settings().approval;
      },
      get history() {
        return settings().history;
      },
    };
  }
}

/** Of a direct conversation it is known who is in it without asking. */
function peersOf({ kind, peerId, members }: About, me: UserId) {
  if (kind !== "direct" || peerId === null || members !== null) return null;
  return [me, peerId].map((userId) => ({ userId, role: "member", joinedSeq: 1 }));
}
