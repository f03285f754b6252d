import * as z from "zod";
import { Event } from "../events.ts";
import { Ack, SendBody } from "../frames.ts";
import { ConversationId, Seq, SeqOrZero } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { EventReceipts, MediaPlace, MediaTicket, SearchHit, StarredMessage, Trace } from "./answers.ts";
import { door } from "./door.ts";
import { NewFile, NewPicture, ofConversation, ofEvent, ofMedia, PassedOn, wholeNumber } from "./fields.ts";

/** What is said, and what became of it. */
export const eventsDoors = {
  history: door({
    method: "get",
    path: "/v1/conversations/{id}/events",
    summary: "A page of the log: newest first with `before` (or neither), oldest first with `after`",
    access: "device",
    params: ofConversation,
    query: z
      .strictObject({
        before: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
        after: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
        limit: wholeNumber(1, LIMITS.historyPage).optional(),
      })
      .refine((q) => q.before === undefined || q.after === undefined, "either before or after"),
    answers: {
      200: z
        .object({ events: z.array(Event), head: SeqOrZero, floor: Seq, hasMore: z.boolean() })
        .meta({ id: "History" }),
    },
    refusals: ["not_found"],
  }),
  send: door({
    method: "post",
    path: "/v1/conversations/{id}/events",
    summary: "Send: the same wish, rules and ack as a `send` frame",
    access: "device",
    params: ofConversation,
    body: SendBody,
    answers: { 200: Ack, 201: Ack },
    refusals: [
      "not_found",
      "not_member",
      "forbidden",
      "idempotency_conflict",
      "key_out_of_order",
      "device_revoked",
      "rate_limited",
    ],
  }),
  eventReceipts: door({
    method: "get",
    path: "/v1/conversations/{id}/events/{seq}/receipts",
    summary: "Who has received and read an event of mine, and since when",
    access: "device",
    params: ofEvent,
    answers: { 200: EventReceipts },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  trace: door({
    method: "get",
    path: "/v1/conversations/{id}/events/{seq}/trace",
    summary: "How an event of mine has come to each member, or why it has not",
    access: "device",
    params: ofEvent,
    answers: { 200: Trace },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  star: door({
    method: "put",
    path: "/v1/conversations/{id}/events/{seq}/star",
    summary: "Star a message: for me alone, on all of my devices",
    access: "device",
    params: ofEvent,
    answers: { 204: null },
    refusals: ["not_found", "too_late", "too_many_stars"],
  }),
  unstar: door({
    method: "delete",
    path: "/v1/conversations/{id}/events/{seq}/star",
    summary: "Take my star off a message",
    access: "device",
    params: ofEvent,
    answers: { 204: null },
    refusals: ["not_found"],
  }),
  deleteEvent: door({
    method: "delete",
    path: "/v1/conversations/{id}/events/{seq}",
    summary: "Delete a message for me alone, with its edits, on all of my devices; for everybody it is recalled",
    access: "device",
    params: ofEvent,
    answers: { 204: null },
    refusals: ["not_found", "too_many_deletions"],
  }),
  stars: door({
    method: "get",
    path: "/v1/stars",
    summary: "The messages that I have starred, those starred last first. What is gone is not among them",
    access: "device",
    query: z.strictObject({
      cursor: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
      limit: wholeNumber(1, LIMITS.starsPage).optional(),
    }),
    answers: {
      200: z
        .object({
          stars: z.array(StarredMessage),
          cursor: z.string().optional().meta({
            description: "There may be more: ask again with it. A page may be short, or empty, and have one.",
          }),
          incomplete: z.boolean().meta({ description: "A conversation did not answer: its stars are left out." }),
        })
        .meta({ id: "StarsPage" }),
    },
    refusals: [],
  }),
  newMedia: door({
    method: "post",
    path: "/v1/media",
    summary:
      "Where to upload a file for one message to this conversation, whole or in parts, or a picture of mine; or pass on media that I may see",
    access: "device",
    body: z.union([NewFile, NewPicture, PassedOn]),
    answers: { 201: MediaTicket },
    refusals: ["not_found", "not_member", "media_not_offered", "media_not_uploaded", "media_too_large"],
  }),
  media: door({
    method: "get",
    path: "/v1/media/{mediaId}",
    summary:
      "The bytes, for members of its conversation, or for whom somebody shows their picture: a redirect to where they lie, or that place itself with `as=url`",
    access: "device",
    params: ofMedia,
    query: z.strictObject({ as: z.literal("url").optional() }),
    answers: { 200: MediaPlace, 302: null },
    refusals: ["not_found", "media_not_offered", "media_not_uploaded"],
  }),
  search: door({
    method: "get",
    path: "/v1/search",
    summary: "My messages that show these words, whatever their case; those written last come first",
    access: "device",
    query: z.strictObject({
      q: z
        .string()
        .max(LIMITS.searchLength)
        .refine((q) => q.trim().length > 0, "must not be blank"),
      conversationId: ConversationId.optional(),
      cursor: z.string().max(64).optional(),
      limit: wholeNumber(1, LIMITS.searchPage).optional(),
    }),
    answers: {
      200: z
        .object({
          hits: z.array(SearchHit),
          cursor: z.string().optional().meta({
            description: "There may be more: ask again with it. A page may be short, or empty, and have one.",
          }),
          incomplete: z
            .boolean()
            .meta({ description: "Something did not answer: there may be more hits on this page." }),
        })
        .meta({ id: "SearchPage" }),
    },
    refusals: ["not_found"],
  }),
} as const;
