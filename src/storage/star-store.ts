import type { ConversationId } from "../protocol/ids.ts";
import type { InboxRows } from "./inbox-rows.ts";

/** `starredAt`: epoch ms. */
export type Star = { conversationId: ConversationId; seq: number; place: number; starredAt: number };

/** The messages that a user has starred: where they are. */
export class StarStore {
  private readonly rows: InboxRows;
  private readonly held;

  constructor(rows: InboxRows) {
    this.rows = rows;
    this.held = rows.hold(() => {
      const query = "SELECT conversation_id AS conversationId, seq, place, starred_at AS starredAt FROM stars";
      const byId = Map.groupBy(rows.read<Star>(query), ({ conversationId }) => conversationId);
      return new Map(Array.from(byId, ([id, stars]) => [id, new Map(stars.map((star) => [star.seq, star]))]));
    });
  }

  /** All of them, the newest first. */
  all(): Star[] {
    const stars = [...this.held.value.values()].flatMap((of) => [...of.values()]);
    return stars.sort((a, b) => b.place - a.place);
  }

  /** The seqs that are starred in a conversation, ascending. */
  in(conversationId: ConversationId): number[] {
    return [...(this.held.value.get(conversationId)?.keys() ?? [])].sort((a, b) => a - b);
  }

  put(conversationId: ConversationId, seq: number, now: number): void {
    const star = { conversationId, seq, place: (this.all()[0]?.place ?? 0) + 1, starredAt: now };
    this.rows.write("INSERT INTO stars VALUES (?, ?, ?, ?)", conversationId, seq, star.place, now);
    const others = this.held.value.get(conversationId) ?? new Map<number, Star>();
    this.held.value.set(conversationId, others.set(seq, star));
  }

  drop(conversationId: ConversationId, seq: number): void {
    if (!this.held.value.get(conversationId)?.delete(seq)) return;
    this.rows.write("DELETE FROM stars WHERE conversation_id = ? AND seq = ?", conversationId, seq);
  }
}
