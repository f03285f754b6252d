import type { UserId } from "../protocol/ids.ts";
import type { ConversationKind } from "./membership.ts";

/** Who did something in a group within this time is taken to look at it. Ms. */
const LOOKS_MS = 5 * 60_000;
/** People told that somebody types in a group: those who looked last. */
export const TYPING_TOLD = 32;

type Facts = {
  kind: ConversationKind;
  /** The other members whose inboxes are to be called at all. */
  others: readonly UserId[];
  /** When somebody last did something here, the latest last (epoch ms). */
  seenAt: ReadonlyMap<UserId, number>;
  crowd: boolean;
};

/** [TY-1] In a direct conversation the other one; in a group those who looked last; in a crowd nobody. */
export function whoSeesTyping({ kind, others, seenAt, crowd }: Facts, now: number): UserId[] {
  if (crowd) return [];
  if (kind === "direct") return [...others];
  const here = new Set(others);
  const looking = [...seenAt].filter(([id, at]) => now - at <= LOOKS_MS && here.has(id)).map(([id]) => id);
  return looking.slice(-TYPING_TOLD);
}
