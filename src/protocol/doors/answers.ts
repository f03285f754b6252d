import * as z from "zod";
import { EditEvent, MessageEvent, RetentionMs, Role } from "../events.ts";
import { Summary } from "../frames.ts";
import { GroupRules } from "../group-rules.ts";
import { ConversationId, DeviceId, EpochMs, EventId, InviteCode, MediaId, Seq, SeqOrZero, UserId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { Privacy } from "../states.ts";

/** What doors answer with. */

export const Profile = z
  .object({
    userId: UserId,
    handle: z.string(),
    displayName: z.string(),
    avatarMediaId: MediaId.optional().meta({ description: "Their picture, where they have one and show it to me." }),
  })
  .meta({ id: "Profile", description: "What anybody may see of a user." });
export type Profile = z.infer<typeof Profile>;
/** The state of an acquaintance: I asked, they asked, or both. */
export const ContactState = z.enum(["requested", "incoming", "accepted"]).meta({ id: "ContactState" });
export type ContactState = z.infer<typeof ContactState>;
export const Contact = z.object({ ...Profile.shape, state: ContactState }).meta({ id: "Contact" });
export type Contact = z.infer<typeof Contact>;
export const FoundPerson = z
  .object({ ...Profile.shape, isContact: z.boolean() })
  .meta({ id: "FoundPerson", description: "Somebody whom a search has found." });
export type FoundPerson = z.infer<typeof FoundPerson>;
export const Me = z.object({ ...Profile.shape, privacy: Privacy, createdAt: EpochMs }).meta({ id: "Me" });
export type Me = z.infer<typeof Me>;

export const Device = z
  .object({
    deviceId: DeviceId,
    name: z.string(),
    createdAt: EpochMs,
    lastUsedAt: EpochMs.meta({ description: "The last sign-in or refresh." }),
    current: z.boolean().meta({ description: "The device that asks." }),
  })
  .meta({ id: "Device" });
export type Device = z.infer<typeof Device>;

export const tokens = {
  accessToken: z.string(),
  accessExpiresAt: EpochMs,
  refreshToken: z.string().optional().meta({ description: "Absent where the browser has it, in a cookie." }),
};
export const TokenPair = z.object(tokens).meta({ id: "TokenPair" });
export type TokenPair = z.infer<typeof TokenPair>;
export const Session = z.object({ user: Me, device: Device, ...tokens }).meta({ id: "Session" });
export type Session = z.infer<typeof Session>;

export const Member = z.object({ userId: UserId, role: Role, joinedSeq: SeqOrZero }).meta({ id: "Member" });
export type Member = z.infer<typeof Member>;
export const Conversation = z
  .object({
    conversationId: ConversationId,
    kind: z.enum(["direct", "group"]),
    title: z.string().optional(),
    avatarMediaId: MediaId.optional().meta({ description: "A group's picture." }),
    ...GroupRules.partial().shape,
    createdAt: EpochMs,
    retentionMs: RetentionMs.optional().meta({ description: "Absent where messages do not disappear." }),
    head: SeqOrZero,
    floor: Seq.meta({ description: "The lowest seq that I may see." }),
    members: z.array(Member),
    mine: z.object({ role: Role.nullable(), delivered: SeqOrZero, read: SeqOrZero, unread: z.int().min(0) }),
  })
  .meta({ id: "Conversation" });
export type Conversation = z.infer<typeof Conversation>;
export const ConversationAnswer = z.object({ conversation: Conversation }).meta({ id: "ConversationAnswer" });

export const ListedConversation = z
  .object({ ...Summary.shape, peer: z.union([Profile, z.object({ userId: UserId })]).optional() })
  .meta({ id: "ListedConversation" });

/** Who has one event, counted, and by name where the conversation is not too large. */
export const EventReceipts = z
  .object({
    seq: Seq,
    memberCount: z.int().meta({ description: "The members whom it was for, without its sender." }),
    deliveredCount: z.int(),
    readCount: z.int().meta({ description: "Those who show that they have read it." }),
    members: z
      .array(z.object({ userId: UserId, deliveredAt: EpochMs.optional(), readAt: EpochMs.optional() }))
      .optional()
      .meta({
        description: `Absent above ${LIMITS.receiptMembers} members. The times of what is long past are those by which it was so.`,
      }),
  })
  .meta({ id: "EventReceipts" });
export type EventReceipts = z.infer<typeof EventReceipts>;

export const TraceState = z
  .enum(["waiting", "retrying", "parked", "inbox", "pushed", "socket", "delivered", "read"])
  .meta({
    id: "TraceState",
    description:
      "How far it has come: not called yet; called in vain, to be tried again; in the index of a member with nobody to tell; at the inbox; " +
      "pushed; put on a socket; acked by a device; read.",
  });
/** How one event has come to one member. */
export const TracedMember = z
  .object({
    userId: UserId,
    state: TraceState,
    inboxAt: EpochMs.optional(),
    socketAt: EpochMs.optional(),
    deliveredAt: EpochMs.optional(),
    readAt: EpochMs.optional(),
    pushes: z.array(z.object({ at: EpochMs, provider: z.enum(["web", "fcm"]), seq: Seq, answer: z.string() })).meta({
      description: "Pushes for this event or a later one, with the provider's answer: its HTTP status, or a word.",
    }),
    failures: z.int().optional().meta({ description: "Calls of the inbox that failed in a row." }),
    retryAt: EpochMs.optional(),
  })
  .meta({ id: "TracedMember" });
export type TracedMember = z.infer<typeof TracedMember>;
export const Trace = z
  .object({ seq: Seq, appendedAt: EpochMs, inHistory: z.boolean(), members: z.array(TracedMember) })
  .meta({ id: "Trace" });
export type Trace = z.infer<typeof Trace>;

/** Where the bytes go, in one request of this method with these headers; what else is sent, the store refuses. */
export const Upload = z
  .object({ method: z.literal("PUT"), url: z.string(), headers: z.record(z.string(), z.string()), expiresAt: EpochMs })
  .meta({ id: "Upload" });
export type Upload = z.infer<typeof Upload>;
const Part = z.int().min(1).meta({ description: "1, 2, 3 …" });
/** A file that is uploaded in parts: what is there, and where the next of the rest go. */
export const PartedUpload = z
  .object({
    partBytes: z.int().min(1).meta({ description: "Of every part but the last." }),
    partCount: z.int().min(1),
    there: z.array(Part).meta({ description: "What was told to be there." }),
    parts: z.array(z.object({ part: Part, ...Upload.shape })).meta({
      description: `Where the first that are missing go, ${LIMITS.partsAtOnce} at most. None is missing where there are none.`,
    }),
  })
  .meta({ id: "PartedUpload" });
export type PartedUpload = z.infer<typeof PartedUpload>;
export const MediaTicket = z
  .object({
    mediaId: MediaId,
    parted: PartedUpload.optional().meta({ description: "Instead of `upload`, where parts were asked for." }),
    upload: Upload.optional().meta({
      description: "Absent where these bytes are here already. A PUT that is answered with 412 was made before.",
    }),
  })
  .meta({ id: "MediaTicket" });
export type MediaTicket = z.infer<typeof MediaTicket>;
export const MediaPlace = z.object({ url: z.string(), expiresAt: EpochMs }).meta({ id: "MediaPlace" });
export type MediaPlace = z.infer<typeof MediaPlace>;

/** What an erasure took away, by store; and of a re-scan, what is still there. */
export const Tally = z
  .object({
    accounts: z.int().min(0),
    identities: z.int().min(0).meta({ description: "Links to an outside issuer." }),
    devices: z.int().min(0),
    contacts: z.int().min(0).meta({ description: "Contacts and requests, of either side." }),
    blocks: z.int().min(0).meta({ description: "Of either side." }),
    names: z.int().min(0).meta({ description: "Words by which people search found them." }),
    reports: z.int().min(0).meta({
      description: "Those they made, and those about them that are settled; an open one stays with its evidence.",
    }),
    copies: z.int().min(0).meta({ description: "Inboxes of others that were told to forget." }),
    pushEndpoints: z.int().min(0),
    conversations: z.int().min(0),
    messages: z.int().min(0),
    edits: z.int().min(0),
    reactions: z.int().min(0),
    invites: z.int().min(0),
    historyRows: z.int().min(0),
    searchEntries: z.int().min(0).meta({ description: "Entries of the index that were made anew or dropped." }),
    mediaRows: z.int().min(0),
    bucketObjects: z.int().min(0),
    inboxRows: z.int().min(0),
    unreached: z.int().min(0).meta({ description: "Objects that did not answer; it goes on until all have." }),
  })
  .meta({ id: "Tally" });
export type Tally = z.infer<typeof Tally>;

export const ErasureState = z.enum(["erasing", "settling", "done"]).meta({
  id: "ErasureState",
  description:
    "Under way; all is gone that was found, and it looks again when the last token and signed URL of theirs have expired; all is gone.",
});
/** The record of one erasure. It stays, and of the person it holds nothing but the id. */
export const Erasure = z
  .object({
    userId: UserId,
    state: ErasureState,
    askedBy: z.enum(["user", "operator"]),
    begunAt: EpochMs,
    doneAt: EpochMs.optional(),
    rounds: z.int().min(0).meta({ description: "How often it has gone through all stores." }),
    counts: Tally.meta({ description: "What was taken away so far." }),
    rescan: z
      .object({ at: EpochMs, remaining: Tally })
      .optional()
      .meta({ description: "The last re-scan of all stores. It is done only when all of it is zero." }),
  })
  .meta({ id: "Erasure" });
export type Erasure = z.infer<typeof Erasure>;

export const Invite = z
  .object({
    code: InviteCode,
    makerId: UserId,
    expiresAt: EpochMs,
    maxUses: z.int().nullable().meta({ description: "How many it lets in; null: as many as the group holds." }),
    uses: z.int().min(0),
    readmits: z.boolean().meta({ description: "Also those who had been removed before it was made." }),
  })
  .meta({ id: "Invite" });
export type Invite = z.infer<typeof Invite>;

/** Who waits to be let into a group. */
export const JoinRequest = z.object({ userId: UserId, askedAt: EpochMs }).meta({ id: "JoinRequest" });
export type JoinRequest = z.infer<typeof JoinRequest>;
export const JoinRequested = z
  .object({ state: z.literal("requested"), conversationId: ConversationId, askedAt: EpochMs })
  .meta({ id: "JoinRequested", description: "An admin is to let me in; until then I am none of its members." });

/** What a page shows to ask "Join?". */
export const InvitePreview = z
  .object({
    conversationId: ConversationId,
    title: z.string(),
    memberCount: z.int(),
    approval: z.boolean().meta({ description: "Whether an admin has to let me in." }),
    state: z.enum(["outside", "requested", "member"]).meta({ description: "How I stand to the group." }),
    avatar: MediaPlace.optional().meta({ description: "Where its picture is, if it has one." }),
  })
  .meta({ id: "InvitePreview" });
export type InvitePreview = z.infer<typeof InvitePreview>;

export const StarredMessage = z
  .object({
    conversationId: ConversationId,
    seq: Seq,
    starredAt: EpochMs,
    event: MessageEvent,
    edit: EditEvent.optional().meta({ description: "The newest edit of it." }),
  })
  .meta({ id: "StarredMessage", description: "A message that I have starred, as it is now." });
export type StarredMessage = z.infer<typeof StarredMessage>;

export const SearchHit = z
  .object({
    conversationId: ConversationId,
    seq: Seq,
    eventId: EventId,
    senderId: UserId,
    receivedAt: EpochMs,
    occurredAt: EpochMs,
    snippet: z.object({ text: z.string(), from: z.int().min(0), to: z.int().min(0) }).meta({
      description: "The words that were found, from UTF-16 unit `from` to `to`, with some of what stands around them.",
    }),
  })
  .meta({ id: "SearchHit", description: "A message that shows the words." });
export type SearchHit = z.infer<typeof SearchHit>;
