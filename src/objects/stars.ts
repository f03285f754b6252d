import { ask, CALL_WINDOW, mapWindowed } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { StarredMessage } from "../protocol/http.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { Star } from "../storage/star-store.ts";
import type { ChangeIndex } from "./change-index.ts";
import type { Outcome, Shown } from "./rpc.ts";

type Parts = { store: InboxStore; index: ChangeIndex };
/** `next`: the place to go on below; null: that was all. `isWhole`: every conversation has answered. */
export type StarsPage = { stars: StarredMessage[]; next: number | null; isWhole: boolean };

/** The messages that a user has starred: where they are, and nothing of them. What they say now their conversations know. */
export class Stars {
  private readonly env: Env;
  private readonly parts: Parts;

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
  }

  /** Repeating it writes nothing. */
  async put(userId: UserId, id: ConversationId, seq: number): Promise<Outcome<null>> {
    const { store } = this.parts;
    const shown = await this.shown(userId, id, [seq]);
    if (!shown.ok) return shown;
    const [message] = shown.value;
    if (!message) return refuse("not_found"); // [ST-2]
    if (message.event.content.type === "gone") return refuse("too_late");
    if (store.stars.in(id).includes(seq)) return ok(null);
    if (store.stars.all().length >= LIMITS.stars) return refuse("too_many_stars"); // [ST-5]
    store.stars.put(id, seq, Date.now());
    this.tell(id);
    return ok(null);
  }

  /** What one has starred one may let go, whatever became of it. */
  async drop(userId: UserId, id: ConversationId, seq: number): Promise<Outcome<null>> {
    if (this.parts.store.stars.in(id).includes(seq)) {
      this.parts.store.stars.drop(id, seq);
      this.tell(id);
      return ok(null);
    }
    const shown = await this.shown(userId, id, []);
    return shown.ok ? ok(null) : shown;
  }

  /** [ST-3] All stars of the conversation as they are now: on live sockets, and in the summary for devices that were away. */
  private tell(conversationId: ConversationId): void {
    const { store, index } = this.parts;
    const starred = store.stars.in(conversationId);
    index.tellKept(conversationId, { type: "self", conversations: [{ conversationId, starred }] }, Date.now());
  }

  /** Those below a place, the newest first, with their messages as they are now. */
  async list(userId: UserId, below: number, limit: number): Promise<StarsPage> {
    const rest = this.parts.store.stars.all().filter(({ place }) => place < below);
    const stars = rest.slice(0, limit);
    const asked = [...Map.groupBy(stars, ({ conversationId }) => conversationId)];
    const pages = await mapWindowed(asked, CALL_WINDOW, ([id, of]) => this.listOf(userId, id, of));
    const messages = new Map(pages.flatMap((page) => page ?? []));
    const told = stars.flatMap(({ place, ...star }) => {
      const shown = messages.get(place);
      return shown ? [{ ...star, ...shown }] : [];
    });
    const next = rest.length > stars.length ? (stars.at(-1)?.place ?? null) : null;
    return { stars: told, next, isWhole: !pages.includes(null) };
  }

  /** By place; null when the conversation did not answer. [ST-4] What is gone, or not theirs to see any more, loses its star. */
  private async listOf(userId: UserId, id: ConversationId, stars: Star[]): Promise<[number, Shown][] | null> {
    const shown = await this.shown(
      userId,
      id,
      stars.map(({ seq }) => seq),
    );
    if (!shown.ok && shown.code === "unavailable") return null;
    const bySeq = new Map((shown.ok ? shown.value : []).map((one) => [one.event.seq, one]));
    const left = stars.flatMap((star): [number, Shown][] => {
      const message = bySeq.get(star.seq);
      return message && message.event.content.type !== "gone" ? [[star.place, message]] : [];
    });
    if (left.length < stars.length) this.dropGone(id, stars, new Set(left.map(([place]) => place)));
    return left;
  }

  private dropGone(id: ConversationId, stars: Star[], left: ReadonlySet<number>): void {
    for (const { seq, place } of stars) if (!left.has(place)) this.parts.store.stars.drop(id, seq);
    this.tell(id);
  }

  private shown(userId: UserId, id: ConversationId, seqs: number[]): Promise<Outcome<Shown[]>> {
    return ask(() => conversationOf(this.env, id).shown(userId, seqs));
  }
}
