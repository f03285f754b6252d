import { agedBy, type Because, forgottenOf, tombstoneOf } from "../domain/life.ts";
import { type EditEvent, Event, type MessageEvent, type ReactionEvent } from "../protocol/events.ts";
import type { MediaId } from "../protocol/ids.ts";
import type { Checkpoint, ConversationStore } from "../storage/conversation-store.ts";
import type { RecentLog } from "./recent-log.ts";

type Parts = {
  store: ConversationStore;
  recent: RecentLog;
  checkpoint: Checkpoint;
  head: () => number;
  /** How long the deployer keeps messages at most; 0: for ever. Ms. */
  deployerMs: number;
  /** Something that counted is gone. */
  buried: () => void;
  saveCheckpoint: () => void;
};

/** What becomes of content whose time is over, or that was taken back: tombstones, in the log and in memory. */
export class Burials {
  private readonly parts: Parts;
  /** How often content was taken away: what was made of the events before is out of date. */
  count = 0;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** [LM-15] Takes away what has expired, at most `limit` messages; answers which. */
  expire(now: number, limit: number): number[] {
    const due = this.parts.store.expired(now, limit);
    for (const seq of due) this.bury(seq, "expired");
    return [...due, ...this.age(now, limit - due.length)];
  }

  /** [LM-17] The same for what was sent before the deployer set a time: seqs ascend with the times at which they were received. */
  private age(now: number, limit: number): number[] {
    const by = agedBy(now, this.parts.deployerMs);
    if (by === null || limit === 0) return [];
    const next = this.parts.store.messagesPast(this.parts.checkpoint.aged, limit);
    const due = next.filter(({ receivedAt }) => receivedAt <= by).map(({ seq }) => seq);
    for (const seq of due) this.bury(seq, "expired");
    const left = next.find(({ receivedAt }) => receivedAt > by);
    this.parts.checkpoint.aged = left ? left.seq - 1 : (due.at(-1) ?? this.parts.checkpoint.aged);
    return due;
  }

  /** When the next message's time is over (epoch ms); null: none's will be. */
  nextExpiry(): number | null {
    const [oldest] = this.parts.deployerMs > 0 ? this.parts.store.messagesPast(this.parts.checkpoint.aged, 1) : [];
    const agesAt = oldest && oldest.receivedAt + this.parts.deployerMs;
    const times = [this.parts.store.nextExpiry(), agesAt].filter((at) => at !== null && at !== undefined);
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** Whether the log may have words that it has not forgotten. */
  hasWords(): boolean {
    return this.parts.store.wordRows(this.parts.checkpoint.forgotten + 1, this.parts.head(), 1).length > 0;
  }

  /** [LM-22] Forgets words up to `through`, at most `limit` events; answers whether that was all. Media stays: nobody says that they have it. */
  forget(through: number, limit: number): boolean {
    if (through <= this.parts.checkpoint.forgotten) return true;
    const rows = this.parts.store.wordRows(this.parts.checkpoint.forgotten + 1, through, limit);
    for (const { seq, body } of rows) this.forgetWords(seq, body);
    this.count += 1;
    const last = rows.at(-1)?.seq;
    this.parts.checkpoint.forgotten = rows.length === limit && last !== undefined ? last : through;
    this.parts.saveCheckpoint(); // with the tombstones, so that history gets all of them
    return rows.length < limit;
  }

  private forgetWords(seq: number, body: string): void {
    const event = Event.parse(JSON.parse(body));
    if (!("content" in event) || event.content.type !== "text") return;
    const forgotten = forgottenOf(event);
    const text = JSON.stringify(forgotten);
    this.parts.store.forget(seq, text);
    this.parts.recent.replace(forgotten as Event, text);
  }

  /** [LM-7] Whether history may have these seqs, both ends included, as they were before something was taken away. */
  isStale(from: number, to: number): boolean {
    const { forgotten, forgottenInHistory } = this.parts.checkpoint;
    return (from <= forgotten && to > forgottenInHistory) || this.parts.store.hasStale(from, to);
  }

  /** [LM-5] Takes the content of a message and of its edits away, from the log and from memory. */
  bury(seq: number, because: Because): void {
    const message = this.parts.store.event(seq);
    if (message?.kind !== "message") return;
    const mediaId = message.content.type === "media" ? message.content.mediaId : null;
    this.putTombstone(tombstoneOf(message, because), "gone", mediaId);
    for (const edit of this.parts.store.editsOf(seq)) this.putTombstone(tombstoneOf(edit, because), "edit", null);
    this.isBuried();
  }

  /** [ER-9] What a member who is erased wrote keeps its place, and nothing of its content. Their media goes by another way. */
  erase(event: MessageEvent | EditEvent | ReactionEvent): void {
    if (event.kind === "message") this.putTombstone(tombstoneOf(event, "recalled"), "gone", null);
    if (event.kind === "edit") this.putTombstone(tombstoneOf(event, "recalled"), "edit", null);
    if (event.kind === "reaction") this.putTombstone({ ...event, emoji: null }, "reaction", null);
    this.isBuried();
  }

  private isBuried(): void {
    this.parts.buried();
    this.count += 1;
  }

  private putTombstone(
    event: MessageEvent | EditEvent | ReactionEvent,
    kind: "gone" | "edit" | "reaction",
    mediaId: MediaId | null,
  ): void {
    const body = JSON.stringify(event);
    this.parts.store.bury(event.seq, kind, body, mediaId);
    this.parts.recent.replace(event, body);
  }
}
