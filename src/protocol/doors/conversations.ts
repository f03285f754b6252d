import * as z from "zod";
import { Role } from "../events.ts";
import { GroupRules } from "../group-rules.ts";
import { ConversationId, EpochMs, IdempotencyKey, InviteCode, MediaId, UserId } from "../ids.ts";
import { LIMITS, TIMES } from "../limits.ts";
import { Mine, Presence } from "../states.ts";
import {
  ConversationAnswer,
  Invite,
  InvitePreview,
  JoinRequest,
  JoinRequested,
  ListedConversation,
} from "./answers.ts";
import { door } from "./door.ts";
import { ofConversation, Title, wholeNumber } from "./fields.ts";

/** Conversations, and who is in them. */
export const conversationsDoors = {
  openDirect: door({
    method: "put",
    path: "/v1/conversations/direct/{userId}",
    summary: "The one direct conversation with this user; both sides get the same",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 200: ConversationAnswer, 201: ConversationAnswer },
    refusals: ["not_found", "forbidden"],
  }),
  createGroup: door({
    method: "post",
    path: "/v1/conversations",
    summary: "Make a group; its maker is its admin",
    access: "device",
    body: z.strictObject({
      title: Title,
      memberIds: z.array(UserId).max(LIMITS.groupMembers),
      idempotencyKey: IdempotencyKey.optional().meta({
        description: "With it, a repeat answers the group made the first time.",
      }),
    }),
    answers: { 200: ConversationAnswer, 201: ConversationAnswer },
    refusals: ["not_found", "forbidden", "group_full", "idempotency_conflict"],
  }),
  conversations: door({
    method: "get",
    path: "/v1/conversations",
    summary: "My conversations, newest first",
    access: "device",
    query: z.strictObject({ cursor: z.string().max(64).optional(), limit: wholeNumber(1, LIMITS.listPage).optional() }),
    answers: { 200: z.object({ conversations: z.array(ListedConversation), cursor: z.string().optional() }) },
    refusals: [],
  }),
  conversation: door({
    method: "get",
    path: "/v1/conversations/{id}",
    summary: "A conversation's state, its members and my receipts",
    access: "device",
    params: ofConversation,
    answers: { 200: ConversationAnswer },
    refusals: ["not_found"],
  }),
  changeConversation: door({
    method: "patch",
    path: "/v1/conversations/{id}",
    summary:
      "Change a group's settings (admins, and members what they are let), or how long messages are kept (in a direct conversation either)",
    access: "device",
    params: ofConversation,
    body: z
      .strictObject({
        title: Title.optional(),
        retentionMs: z
          .union([z.literal(0), z.int().min(TIMES.retentionMinMs).max(TIMES.retentionMaxMs)])
          .nullable()
          .optional()
          .meta({ description: "From now on messages disappear after so long; 0 or null: they do not." }),
        avatarMediaId: MediaId.nullable()
          .optional()
          .meta({ description: "A picture that I have uploaded for this group; null: none." }),
        ...GroupRules.partial().shape,
      })
      .refine((change) => Object.values(change).some((value) => value !== undefined), "nothing to change"),
    answers: { 200: ConversationAnswer },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  clearConversation: door({
    method: "delete",
    path: "/v1/conversations/{id}",
    summary: "Clear a conversation for me alone: what there is by now is not mine to see any more, on any device",
    access: "device",
    params: ofConversation,
    answers: { 204: null },
    refusals: ["not_found"],
  }),
  changeMine: door({
    method: "patch",
    path: "/v1/conversations/{id}/mine",
    summary: "Mute, pin or archive a conversation: for me alone, on all of my devices",
    access: "device",
    params: ofConversation,
    body: z.strictObject({
      mutedUntil: EpochMs.nullable()
        .optional()
        .meta({ description: "Until then it does not ring; null, or a time that has passed: it does." }),
      mentionsPierce: z.boolean().optional(),
      pinned: z.boolean().optional(),
      archived: z.boolean().optional(),
    }),
    answers: { 200: Mine },
    refusals: ["not_found"],
  }),
  conversationPresence: door({
    method: "get",
    path: "/v1/conversations/{id}/presence",
    summary: "Who of the other members is online, as far as they show it to me: fetched when a group is opened",
    access: "device",
    params: ofConversation,
    answers: { 200: z.object({ users: z.array(Presence) }) },
    refusals: ["not_found", "not_member"],
  }),
  putMember: door({
    method: "put",
    path: "/v1/conversations/{id}/members/{userId}",
    summary: "Add a member to a group (admins, and members where they are let), or set the role of one (admins)",
    access: "device",
    params: z.strictObject({ id: ConversationId, userId: UserId }),
    body: z.strictObject({ role: Role.default("member") }),
    answers: { 200: ConversationAnswer, 201: ConversationAnswer },
    refusals: ["not_found", "not_member", "forbidden", "group_full", "last_admin"],
  }),
  removeMember: door({
    method: "delete",
    path: "/v1/conversations/{id}/members/{userId}",
    summary: "Remove a member (admins); removing oneself leaves",
    access: "device",
    params: z.strictObject({ id: ConversationId, userId: UserId }),
    answers: { 204: null },
    refusals: ["not_found", "not_member", "forbidden", "last_admin"],
  }),
  createInvite: door({
    method: "post",
    path: "/v1/conversations/{id}/invites",
    summary: "Make an invite to a group (whoever may add to it): whoever has its code may join",
    access: "device",
    params: ofConversation,
    body: z.strictObject({
      expiresAt: EpochMs.optional(),
      maxUses: z.int().min(1).max(LIMITS.groupMembers).optional(),
      readmits: z.boolean().optional(),
    }),
    answers: { 201: Invite },
    refusals: ["not_found", "not_member", "forbidden", "too_many_invites"],
  }),
  invites: door({
    method: "get",
    path: "/v1/conversations/{id}/invites",
    summary: "The invites to a group that are not over: for admins all, for members who may make some their own",
    access: "device",
    params: ofConversation,
    answers: { 200: z.object({ invites: z.array(Invite) }) },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  revokeInvite: door({
    method: "delete",
    path: "/v1/conversations/{id}/invites/{code}",
    summary: "Revoke an invite (admins; one's own whoever may make some)",
    access: "device",
    params: z.strictObject({ id: ConversationId, code: InviteCode }),
    answers: { 204: null },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  join: door({
    method: "post",
    path: "/v1/invites/{code}/join",
    summary: "Join a group by an invite, or ask to where admins let people in (202); a repeat is harmless",
    access: "device",
    params: z.strictObject({ code: InviteCode }),
    answers: { 200: ConversationAnswer, 201: ConversationAnswer, 202: JoinRequested },
    refusals: ["not_found", "forbidden", "invite_over", "group_full", "too_many_waiting"],
  }),
  invite: door({
    method: "get",
    path: "/v1/invites/{code}",
    summary: "The group an invite leads to, for whoever has its code; what joining would refuse, this refuses alike",
    access: "device",
    params: z.strictObject({ code: InviteCode }),
    answers: { 200: InvitePreview },
    refusals: ["not_found", "forbidden", "invite_over", "group_full", "too_many_waiting"],
  }),
  joinRequests: door({
    method: "get",
    path: "/v1/conversations/{id}/requests",
    summary: "Who waits to be let into a group, the first first (admins)",
    access: "device",
    params: ofConversation,
    answers: { 200: z.object({ requests: z.array(JoinRequest) }) },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
  acceptRequest: door({
    method: "put",
    path: "/v1/conversations/{id}/requests/{userId}",
    summary: "Let somebody in who waits (admins); a repeat is harmless",
    access: "device",
    params: z.strictObject({ id: ConversationId, userId: UserId }),
    answers: { 200: ConversationAnswer, 201: ConversationAnswer },
    refusals: ["not_found", "not_member", "forbidden", "group_full"],
  }),
  dropRequest: door({
    method: "delete",
    path: "/v1/conversations/{id}/requests/{userId}",
    summary: "Decline a request to join (admins), or withdraw one's own; a repeat is harmless",
    access: "device",
    params: z.strictObject({ id: ConversationId, userId: UserId }),
    answers: { 204: null },
    refusals: ["not_found", "not_member", "forbidden"],
  }),
} as const;
