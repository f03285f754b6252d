import * as z from "zod";
import { ConversationId, EpochMs, Seq, UserId } from "./ids.ts";

const place = {
  conversationId: ConversationId,
  seq: Seq,
  unread: z.int().min(0).meta({ description: "The conversation's unread messages." }),
};

/** What a push says, to a service worker as JSON and to an app as FCM's `data`. */
export const PushPayload = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("message"),
      ...place,
      sender: z.object({ userId: UserId, displayName: z.string() }).optional(),
      title: z.string().optional().meta({ description: "The group's." }),
      text: z.string().optional().meta({ description: "The beginning of the text." }),
      expiresAt: EpochMs.optional().meta({ description: "When the message disappears: then nothing of it is shown." }),
    }),
    z
      .object({ type: z.literal("read"), ...place })
      .meta({ description: "Rings nothing: takes down what rang up to `seq`." }),
    z
      .object({ type: z.literal("gone"), ...place })
      .meta({ description: "Rings nothing: takes down what rang for the message `seq`, which is gone." }),
  ])
  .meta({ id: "PushPayload" });
export type PushPayload = z.infer<typeof PushPayload>;

/** What the service worker says to the page when a notification was clicked. */
export const OpenConversation = z.object({ type: z.literal("open"), conversationId: ConversationId });
export type OpenConversation = z.infer<typeof OpenConversation>;
