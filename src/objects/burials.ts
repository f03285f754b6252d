import { agedBy, type Because, forgottenOf, tombstoneOf } from "../domain/life.ts";
import { type EditEvent, Event, type MessageEvent, type ReactionEvent } from "../protocol/events.ts";
import type { MediaId } from "../protocol/ids.ts";
import type { ConversationState } from "./conversation-state.ts";

/** What becomes of content whose time is over, or that was taken back: tombstones, in the log and in memory. */
export class Burials {
  private readonly state: ConversationState;
  /** How often content was taken away: what was made of the events before is out of date. */
  count = 0;

  constructor(state: ConversationState) {
    this.state = state;
  }

  /** [LM-15] Takes away what has expired, at most `limit` messages; answers which. */
  expire(now: number, limit: number): number[] {
    const due = this.state.store.tombstones.expired(now, limit);
    for (const seq of due) this.bury(seq, "expired");
    return [...due, ...this.age(now, limit - due.length)];
  }

  /** [LM-17] The same for what was sent before the deployer set a time: seqs ascend with the times at which they were received. */
  private age(now: number, limit: number): number[] {
    const by = agedBy(now, this.state.deployerMs);
    if (by === null || limit === 0) return [];
    const next = this.state.store.tombstones.messagesPast(this.state.checkpoint.aged, limit);
    const due = next.filter(({ receivedAt }) => receivedAt <= by).map(({ seq }) => seq);
    for (const seq of due) this.bury(seq, "expired");
    const left = next.find(({ receivedAt }) => receivedAt > by);
    this.state.checkpoint.aged = left ? left.seq - 1 : (due.at(-1) ?? this.state.checkpoint.aged);
    return due;
  }

  /** When the next message's time is over (epoch ms); null: none's will be. */
  nextExpiry(): number | null {
    const [oldest] =
      this.state.deployerMs > 0 ? this.state.store.tombstones.messagesPast(this.state.checkpoint.aged, 1) : [];
    const agesAt = oldest && oldest.receivedAt + this.state.deployerMs;
    const times = [this.state.store.tombstones.nextExpiry(), agesAt].filter((at) => at !== null && at !== undefined);
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** Whether the log may have words that it has not forgotten. */
  hasWords(): boolean {
    return this.state.store.tombstones.wordRows(this.state.checkpoint.forgotten + 1, this.state.head, 1).length > 0;
  }

  /** [LM-22] Forgets words up to `through`, at most `limit` events; answers whether that was all. Media stays: nobody says that they have it. */
  forget(through: number, limit: number): boolean {
    if (through <= this.state.checkpoint.forgotten) return true;
    const rows = this.state.store.tombstones.wordRows(this.state.checkpoint.forgotten + 1, through, limit);
    for (const { seq, body } of rows) this.forgetWords(seq, body);
    this.count += 1;
    const last = rows.at(-1)?.seq;
    this.state.checkpoint.forgotten = rows.length === limit && last !== undefined ? last : through;
    this.state.saveCheckpoint(); // with the tombstones, so that history gets all of them
    return rows.length < limit;
  }

  private forgetWords(seq: number, body: string): void {
    const event = Event.parse(JSON.parse(body));
    if (!("content" in event) || event.content.type !== "text") return;
    const forgotten = forgottenOf(event);
    const text = JSON.stringify(forgotten);
    this.state.store.tombstones.forget(seq, text);
    this.state.recent.replace(forgotten as Event, text);
  }

  /** [LM-7] Whether history may have these seqs, both ends included, as they were before something was taken away. */
  isStale(from: number, to: number): boolean {
    const { forgotten, forgottenInHistory } = this.state.checkpoint;
    return (from <= forgotten && to > forgottenInHistory) || this.state.store.tombstones.hasStale(from, to);
  }

  /** [LM-5] Takes the content of a message and of its edits away, from the log and from memory. */
  bury(seq: number, because: Because): void {
    const message = this.state.store.log.event(seq);
    if (message?.kind !== "message") return;
    const mediaId = message.content.type === "media" ? message.content.mediaId : null;
    this.putGone(tombstoneOf(message, because), mediaId);
    for (const edit of this.state.store.log.editsOf(seq)) this.putTombstone(tombstoneOf(edit, because), "edit", null);
    this.count += 1;
  }

  /** [ER-9] What a member who is erased wrote keeps its place, and nothing of its content. Their media goes by another way. */
  erase(event: MessageEvent | EditEvent | ReactionEvent): void {
    if (event.kind === "message") this.putGone(tombstoneOf(event, "recalled"), null);
    if (event.kind === "edit") this.putTombstone(tombstoneOf(event, "recalled"), "edit", null);
    if (event.kind === "reaction") this.putTombstone({ ...event, emoji: null }, "reaction", null);
    this.count += 1;
  }

  private putGone(tombstone: MessageEvent, mediaId: MediaId | null): void {
    this.putTombstone(tombstone, "gone", mediaId);
    this.state.unreads.gone(tombstone.seq, tombstone.senderId);
  }

  private putTombstone(
    event: MessageEvent | EditEvent | ReactionEvent,
    kind: "gone" | "edit" | "reaction",
    mediaId: MediaId | null,
  ): void {
    const body = JSON.stringify(event);
    this.state.store.tombstones.bury(event.seq, kind, body, mediaId);
    this.state.recent.replace(event, body);
  }
}
