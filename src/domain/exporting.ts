import type { ExportAfter, ExportCounts } from "../protocol/export.ts";
import { ConversationId, type MediaId } from "../protocol/ids.ts";

/** Where an export stands: what lies past it is still to come. */
export type Place =
  | { in: "conversations"; conversationId: ConversationId | ""; seq: number }
  | { in: "media"; mediaId: string };

const BEGINNING: Place = { in: "conversations", conversationId: "", seq: 0 };

export function placeOf(after: ExportAfter | undefined): Place {
  if (after === undefined) return BEGINNING;
  const [head = "", tail = ""] = after.split(".");
  if (head === "media") return { in: "media", mediaId: tail };
  return { in: "conversations", conversationId: ConversationId.parse(head), seq: Number(tail) };
}

export const eventPlace = (id: ConversationId, seq: number): ExportAfter => `${id}.${seq}`;
export const mediaPlace = (mediaId: MediaId | ""): ExportAfter => `media.${mediaId}`;

/** [EX-4] The conversations that are still to come, always in the order of their ids, and from which seq. */
export function stillToCome<C extends { conversationId: ConversationId }>(
  all: readonly C[],
  place: Place,
): { conversation: C; after: number }[] {
  if (place.in === "media") return [];
  return all
    .filter(({ conversationId }) => conversationId >= place.conversationId)
    .toSorted((a, b) => (a.conversationId < b.conversationId ? -1 : 1))
    .map((conversation) => ({
      conversation,
      after: conversation.conversationId === place.conversationId ? place.seq : 0,
    }));
}

export const NO_LINES: ExportCounts = {
  ...{ device: 0, contact: 0, block: 0, pushSubscription: 0, report: 0 },
  ...{ conversation: 0, event: 0, media: 0 },
};
