import * as z from "zod";
import { EpochMs, MediaId, Seq, SeqOrZero, UserId } from "./ids.ts";

/** How far people have come and who is there: what the frames and the doors tell alike. */

export const Receipt = z
  .object({ userId: UserId, delivered: SeqOrZero, read: SeqOrZero, at: EpochMs })
  .meta({ id: "Receipt" });
export type Receipt = z.infer<typeof Receipt>;

/** What the ticks of my messages say: the seqs up to which everybody else has received and read. */
export const Ticks = z
  .object({
    delivered: SeqOrZero,
    read: SeqOrZero,
    except: z
      .array(z.object({ from: Seq, to: Seq }))
      .optional()
      .meta({
        description: "Seqs below these, both ends included, that did not come to the other one and never will.",
      }),
  })
  .meta({
    id: "Ticks",
    description:
      "The seq up to which every other member has received, and up to which everyone who shows it has read. Those who hide their reading are left out.",
  });
export type Ticks = z.infer<typeof Ticks>;

/** What I alone have set for a conversation, on all of my devices. */
export const Mine = z
  .object({
    mutedUntil: EpochMs.optional().meta({ description: "Until then it does not ring." }),
    mentionsPierce: z.boolean().meta({ description: "Whether a mention rings all the same." }),
    pinned: z.boolean(),
    archived: z.boolean(),
  })
  .meta({ id: "Mine" });
export type Mine = z.infer<typeof Mine>;

/** `unknown`: they do not show it to me, or nobody can tell. */
export const Presence = z
  .object({
    userId: UserId,
    state: z.enum(["online", "offline", "unknown"]),
    lastSeenAt: EpochMs.optional().meta({ description: "When somebody offline was last online." }),
  })
  .meta({ id: "Presence" });
export type Presence = z.infer<typeof Presence>;

/** What an overloaded server leaves out, in the order in which it does; never messages. */
export const Shed = z.enum(["typing", "presence", "receipts", "history"]).meta({ id: "Shed" });
export type Shed = z.infer<typeof Shed>;

export const Visibility = z.enum(["everyone", "contacts", "nobody"]).meta({ id: "Visibility" });
export type Visibility = z.infer<typeof Visibility>;
export const Privacy = z
  .object({
    lastSeen: Visibility,
    readReceipts: Visibility,
    conversations: Visibility.meta({
      description: "Who may begin a conversation with me, or add me to a group. One that I have in my list goes on.",
    }),
    findable: Visibility.meta({
      description:
        "By whom I am found by my name and the beginning of my handle. My whole handle finds me in any case.",
    }),
    picture: Visibility.meta({ description: "Who sees my picture; nobody whom I block does." }),
  })
  .meta({
    id: "Privacy",
    description: "Who sees and does what. `lastSeen` and `readReceipts` are mutual: I see what I show.",
  });
export type Privacy = z.infer<typeof Privacy>;
/** What of my profile another device of mine may have changed. */
export const Self = z
  .object({
    displayName: z.string(),
    privacy: Privacy,
    avatarMediaId: MediaId.optional().meta({ description: "My picture." }),
  })
  .meta({ id: "Self" });
export type Self = z.infer<typeof Self>;
