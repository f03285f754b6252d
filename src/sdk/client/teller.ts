import type { ConnectionState, Line, Message, SessionState } from "./api.ts";
import type { Ended } from "./commands.ts";
import { changesOf } from "./conversation.ts";
import type { Emitter } from "./emitter.ts";
import { EdgewiseError } from "./errors.ts";
import type { Moment } from "./moment.ts";
import type { ClientChange } from "./state.ts";
import type { Sight, View } from "./view.ts";

/** Tells those who listen what has changed. */
export class Teller {
  readonly #emitter: Emitter;
  readonly #view: View;
  readonly #sight: () => Sight;
  #moment: Moment | null = null;
  #session = "";
  /** The same object until it changes. */
  connection: ConnectionState = { is: "offline" };

  constructor(emitter: Emitter, view: View, sight: () => Sight) {
    this.#emitter = emitter;
    this.#view = view;
    this.#sight = sight;
  }

  begin(session: SessionState, moment: Moment): void {
    this.#session = JSON.stringify(session);
    this.#moment = moment;
  }

  session(session: SessionState): void {
    const text = JSON.stringify(session);
    if (text === this.#session) return;
    this.#session = text;
    this.#emitter.emit("session", session);
    this.#emitter.tell("", null);
  }

  changed(changes: readonly ClientChange[], ended: readonly Ended[], moment: Moment): void {
    const touched = new Set(
      changes.flatMap((change) => ("conversationId" in change ? [change.conversationId as string] : [])),
    );
    for (const change of changes) if (change.type === "entry") touched.add(change.entry.conversationId);
    for (const { conversationId } of ended) touched.add(conversationId);
    for (const id of this.#tellMoment(moment)) touched.add(id);
    if (changes.some(({ type }) => type === "contacts"))
      this.#emitter.emit("contacts", this.#view.contacts(this.#sight()));
    for (const change of changes) if (change.type === "grew") this.#tellMessages(change);
    for (const each of ended) this.#tellEnded(each);
    for (const id of touched) {
      if (this.#emitter.hears("conversation"))
        this.#emitter.emit("conversation", this.#view.snapshot(id, this.#sight()));
      this.#emitter.tell(changesOf(id), null);
    }
    this.#emitter.tell("", null);
  }

  /** The conversations whose typing has changed. */
  #tellMoment(moment: Moment): string[] {
    const before = this.#moment;
    this.#moment = moment;
    if (JSON.stringify(moment.connection) !== JSON.stringify(this.connection)) {
      this.connection = moment.connection;
      this.#emitter.emit("connection", this.connection);
    }
    if (!before) return [];
    const [was, is] = [before.live, moment.live];
    if (was.shed.join() !== is.shed.join()) this.#emitter.emit("shed", is.shed);
    if (was.presence !== is.presence) this.#emitter.emit("presence", is.presence);
    if (was.typing === is.typing) return [];
    const ids = new Set([...was.typing, ...is.typing].map(({ conversationId }) => conversationId as string));
    const typistsIn = (live: Moment["live"], id: string): string[] =>
      live.typing.filter(({ conversationId }) => conversationId === id).map(({ userId }) => userId);
    const changed = [...ids].filter((id) => typistsIn(was, id).join() !== typistsIn(is, id).join());
    for (const conversationId of changed)
      this.#emitter.emit("typing", { conversationId, userIds: typistsIn(is, conversationId) });
    return changed;
  }

  /** What this person wrote here is no news to them. */
  #tellMessages({ conversationId, events }: Extract<ClientChange, { type: "grew" }>): void {
    if (!this.#emitter.hears("message")) return;
    const sight = this.#sight();
    const came = events.filter((event) => event.kind === "message" && event.deviceId !== sight.device);
    if (came.length === 0) return;
    const byKey = new Map(
      this.#view
        .lines(conversationId, sight)
        .filter(isMessage)
        .map((line) => [line.seq, line]),
    );
    for (const { seq } of came) {
      const message = byKey.get(seq);
      if (message) this.#emitter.emit("message", { conversationId, message });
    }
  }

  #tellEnded({ wishId, conversationId, ...how }: Ended): void {
    if ("seq" in how) this.#emitter.emit("sent", { id: wishId, conversationId, seq: how.seq });
    else this.#emitter.emit("failed", { id: wishId, conversationId, error: new EdgewiseError(how.code) });
  }
}

const isMessage = (line: Line): line is Message => line.is === "message";
